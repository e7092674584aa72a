"""All the randomness of a trial, drawn from one seed and from nothing else."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch


@dataclass(frozen=True)
class Randomness:
    """Independent streams: a change to one use of chance leaves the others as they were.

    Args:
        weights: First weights; on the CPU, so that every device begins alike.
        order: The order of examples; on the CPU.
        dropout: Which units are dropped; on the device.
    """

    weights: torch.Generator
    order: torch.Generator
    dropout: torch.Generator

    @classmethod
    def from_seed(cls, seed: int, *, device: torch.device) -> Self:
        """Return the streams of a seed, 0 or above."""
        cpu = torch.device("cpu")
        words = np.random.SeedSequence(seed).generate_state(3, np.uint64)
        return cls(
            *(
                torch.Generator(place).manual_seed(int(word))
                for word, place in zip(words, (cpu, cpu, device), strict=True)
            )
        )
