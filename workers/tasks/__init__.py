"""How trials are trained, by the name of their task."""

from typing import Protocol

import torch

from trimtab.message import Params
from trimtab.study import DataSpec
from workers.tasks import mlp
from workers.training.loop import Training


class Begin(Protocol):
    """Makes a training ready to run, or to go on from a checkpoint."""

    def __call__(self, params: Params, data: DataSpec, *, seed: int, device: torch.device) -> Training:
        """See workers.tasks.mlp.begin."""


TRAININGS: dict[str, Begin] = {"mlp": mlp.begin}
"""The tasks of this worker by name."""
