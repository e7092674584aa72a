"""How trials are trained, by the name of their task."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch

from trimtab.message import Scalar
from trimtab.study import DataSpec
from workers.tasks import mlp
from workers.training.loop import Epoch


class Train(Protocol):
    """Trains a network and yields what each epoch led to."""

    def __call__(
        self, params: Mapping[str, Scalar], data: DataSpec, *, seed: int, device: torch.device
    ) -> Iterator[Epoch]:
        """See workers.tasks.mlp.train."""


TRAINERS: dict[str, Train] = {"mlp": mlp.train}
"""The tasks of this worker by name."""
