"""How trials are trained, by the name of their task."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from trimtab.message import Params
from trimtab.states import Purpose
from trimtab.study import TaskSpec
from trimtab.tasks.checks import known
from workers.tasks import cnn, mlp, own
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

NONE_ALLOWED: Mapping[str, own.Build] = MappingProxyType({})


def begin(
    task: TaskSpec,
    params: Params,
    *,
    seed: int,
    purpose: Purpose,
    files: Mapping[str, Path],
    device: torch.device,
    allowed: Mapping[str, own.Build] = NONE_ALLOWED,
) -> Steps:
    """Return what a lease asks for at its beginning. The same arguments give the same figures, bit for bit.

    Args:
        task: How to train, and on what.
        params: Hyperparameters by name; those left out have their defaults (trimtab.tasks).
        seed: All the randomness of the training.
        purpose: What it is for.
        files: The data sets that are not built in, by name.
        device: Where to train.
        allowed: Tasks of the user's own, by name.

    Raises:
        ValueError: The task is neither built in nor allowed, or what it needs is not there.
        torch.OutOfMemoryError: The device has too little memory.
    """
    settled = _settled(task, params)
    data = prepare(task.data, purpose=purpose, files=files, device=device)
    randomness = Randomness.from_seed(seed, device=device, is_torchs_own=task.name in allowed)
    network = _network(task.name, settled, data, randomness, allowed).to(device)
    return Training(network, data, Plan.of(settled), loss=loss_of(settled["loss"], data.problem), randomness=randomness)


def _settled(task: TaskSpec, params: Params) -> dict[str, Any]:
    """Return all hyperparameters, those that are not given by their defaults."""
    return {name: knob.default for name, knob in known(task.name).hyperparameters.items()} | dict(params)


def _network(
    task: str, settled: Params, data: Data, randomness: Randomness, allowed: Mapping[str, own.Build]
) -> nn.Module:
    if task in allowed:
        return own.network_of(allowed[task], settled, data)
    if task in BUILDS:
        return BUILDS[task](settled, data, randomness)
    raise ValueError(f"the task {task} is not allowed here: start the worker with --allow {task}")
