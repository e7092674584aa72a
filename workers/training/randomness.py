"""All the randomness of a trial, drawn from one seed and from nothing else."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch


@dataclass(frozen=True)
class Randomness:
    """Independent streams: a change to one use of chance leaves the others as they were.

    Args:
        weights: First weights; on the CPU, so that every device begins alike.
        order: The order of examples; on the CPU.
        dropout: Which units are dropped; on the device.
        augmentation: How examples are changed; on the device.
    """

    weights: torch.Generator
    order: torch.Generator
    dropout: torch.Generator
    augmentation: torch.Generator

    @classmethod
    def from_seed(cls, seed: int, *, device: torch.device) -> Self:
        """Return the streams of a seed, 0 or above."""
        cpu = torch.device("cpu")
        words = np.random.SeedSequence(seed).generate_state(4, np.uint64)
        return cls(
            *(
                torch.Generator(place).manual_seed(int(word))
                for word, place in zip(words, (cpu, cpu, device, device), strict=True)
            )
        )

    def state(self) -> dict[str, Any]:
        """Return where each stream is."""
        return {
            "weights": self.weights.get_state(),
            "order": self.order.get_state(),
            "dropout": self.dropout.get_state(),
            "augmentation": self.augmentation.get_state(),
            "device": self.dropout.device.type,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where the streams were.

        Those of the device begin anew on a device of another type, since it has other numbers.
        """
        self.weights.set_state(state["weights"])
        self.order.set_state(state["order"])
        if state["device"] == self.dropout.device.type:
            self.dropout.set_state(state["dropout"])
            self.augmentation.set_state(state["augmentation"])
