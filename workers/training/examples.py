"""Examples as a training takes them: in batches on the device, wherever they lie."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# N examples, M examples of a batch, D features.


@dataclass(frozen=True)
class Examples:
    """Examples on the device; or in the host's memory, where the device has too little for all of them.

    Args:
        x_ND: Features, float32, normalised; of images channels, height and width.
        y_N: Classes, int64; or numbers in standard deviations, float32. They lie where `x_ND` does.
        device: Where batches are wanted; None: where the examples lie.
    """

    x_ND: Tensor
    y_N: Tensor
    device: torch.device | None = None

    def __len__(self) -> int:
        return len(self.y_N)

    @property
    def is_resident(self) -> bool:
        """Whether they lie on the device: a batch is copied nowhere."""
        return self.device is None or self.device == self.y_N.device

    def batch(self, rows_M: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_MD and y_M of some rows, on the device. Row numbers lie where the examples do."""
        return self._moved(self.x_ND[rows_M]), self._moved(self.y_N[rows_M])

    def chunks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all examples in their order, so many at once, on the device."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield self._moved(self.x_ND[rows]), self._moved(self.y_N[rows])

    def _moved(self, part: Tensor) -> Tensor:
        if self.is_resident:
            return part
        assert self.device is not None, "what is not resident has a device"
        # From pinned memory the copy goes on while the network computes.
        return (part.pin_memory() if self.device.type == "cuda" else part).to(self.device, non_blocking=True)
