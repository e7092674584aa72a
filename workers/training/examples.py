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
        device: Where batches go; None: nowhere, since the examples lie on the device.
    """

    x_ND: Tensor
    y_N: Tensor
    device: torch.device | None = None

    def __len__(self) -> int:
        return len(self.y_N)

    def batch(self, rows_M: Tensor) -> tuple[Tensor, Tensor]:
        """Return x_MD and y_M of some rows, on the device. Row numbers lie where the examples do."""
        return self._moved(self.x_ND[rows_M]), self._moved(self.y_N[rows_M])

    def chunks(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all examples in their order, so many at once, on the device."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield self._moved(self.x_ND[rows]), self._moved(self.y_N[rows])

    def _moved(self, part: Tensor) -> Tensor:
        if self.device is None:
            return part
        # From pinned memory the copy goes on while the network computes.
        return (part.pin_memory() if self.device.type == "cuda" else part).to(self.device, non_blocking=True)
