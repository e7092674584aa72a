"""All the randomness of a trial, drawn from one seed and from nothing else."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Randomness:
    """Independent streams: a change to one use of chance leaves the others as they were.

    Args:
        weights: First weights; on the CPU, so that every device begins alike.
        order: The order of examples; on the CPU.
        dropout: Which units are dropped; on the device.
        augmentation: How examples are changed; on the device.
        is_torchs_own: Whether torch's own streams belong to it as well: a user's network draws from them. They are the
            process's, so one such training at a time.
    """

    weights: torch.Generator
    order: torch.Generator
    dropout: torch.Generator
    augmentation: torch.Generator
    is_torchs_own: bool = False

    @classmethod
    def from_seed(cls, seed: int, *, device: torch.device, is_torchs_own: bool = False) -> Self:
        """Return the streams of a seed, 0 or above; torch's own streams, where they belong to it, begin anew."""
        cpu = torch.device("cpu")
        *words, torchs = np.random.SeedSequence(seed).generate_state(5, np.uint64)
        if is_torchs_own:
            torch.manual_seed(int(torchs))
        places = (cpu, cpu, device, device)
        weights, order, dropout, augmentation = (
            torch.Generator(place).manual_seed(int(word)) for word, place in zip(words, places, strict=True)
        )
        return cls(weights, order, dropout, augmentation, is_torchs_own)

    def state(self) -> dict[str, Any]:
        """Return where each stream is."""
        return {
            "weights": self.weights.get_state(),
            "order": self.order.get_state(),
            "dropout": self.dropout.get_state(),
            "augmentation": self.augmentation.get_state(),
            "device": self.dropout.device.type,
            **self._torchs(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where the streams were.

        Those of the device begin anew on a device of another type, since it has other numbers.
        """
        self.weights.set_state(state["weights"])
        self.order.set_state(state["order"])
        if self.is_torchs_own:
            torch.set_rng_state(state["torch"])
        if state["device"] == self.dropout.device.type:
            self.dropout.set_state(state["dropout"])
            self.augmentation.set_state(state["augmentation"])
            if "torch_on_device" in state:
                torch.cuda.set_rng_state(state["torch_on_device"], self.dropout.device)

    def _torchs(self) -> dict[str, Tensor]:
        if not self.is_torchs_own:
            return {}
        device = self.dropout.device
        on_device = {"torch_on_device": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {}
        return {"torch": torch.get_rng_state(), **on_device}
