"""How trials are trained, by the name of their task."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trimtab.message import Params
from trimtab.states import Purpose
from trimtab.study import TaskSpec
from trimtab.tasks.checks import known
from workers.tasks import cnn, mlp
from workers.training.data import Data, prepare
from workers.training.loop import Training
from workers.training.losses import loss_of
from workers.training.plan import Plan
from workers.training.randomness import Randomness
from workers.training.steps import Steps

Build = Callable[[Params, Data, Randomness], nn.Module]
"""From all hyperparameters and the data to a network on the CPU, its weights drawn."""

BUILDS: dict[str, Build] = {"mlp": mlp.build, "cnn": cnn.build}
"""The networks of the built-in tasks by name."""


def begin(
    task: TaskSpec, params: Params, *, seed: int, purpose: Purpose, files: Mapping[str, Path], device: torch.device
) -> Steps:
    """Return what a lease asks for at its beginning. The same arguments give the same figures, bit for bit.

    Args:
        task: How to train, and on what.
        params: Hyperparameters by name; those left out have their defaults (trimtab.tasks).
        seed: All the randomness of the training.
        purpose: What it is for.
        files: The data sets that are not built in, by name.
        device: Where to train.

    Raises:
        torch.OutOfMemoryError: The device has too little memory.
    """
    settled: dict[str, Any] = {name: knob.default for name, knob in known(task.name).hyperparameters.items()} | dict(
        params
    )
    randomness = Randomness.from_seed(seed, device=device)
    data = prepare(task.data, purpose=purpose, files=files, device=device)
    network = BUILDS[task.name](settled, data, randomness).to(device)
    return Training(network, data, Plan.of(settled), loss=loss_of(settled["loss"], data.problem), randomness=randomness)
