"""How trials are trained, by the name of their task."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import nn

from trimtab.message import Params
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from trimtab.tasks.checks import known
from workers.tasks import cnn, mlp, own
from workers.tasks.checking import BRIEF, THOROUGH, Checking, Effort, checked, described, require
from workers.training.data import Data, prepare
from workers.training.final import Final
from workers.training.gradient_figures import GradientCheck
from workers.training.loop import Training
from workers.training.losses import loss_of
from workers.training.plan import Plan
from workers.training.randomness import Randomness
from workers.training.repeated import Part, Repeated, parts
from workers.training.sources import split_hash
from workers.training.steps import Steps

_log = logging.getLogger(__name__)

Build = Callable[[Params, Data, Randomness], nn.Module]
"""From all hyperparameters and the data to a network on the CPU, its weights drawn."""

BUILDS: dict[str, Build] = {"mlp": mlp.build, "cnn": cnn.build}
"""The networks of the built-in tasks by name."""

_CPU = torch.device("cpu")

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
    is_checked_first: bool = False,
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
        is_checked_first: Whether its gradients are, as far as they can be.

    Raises:
        GradientWrong: They are checked first, and wrong.
        ValueError: The task is neither built in nor allowed, or what it needs is not there.
        torch.OutOfMemoryError: The device has too little memory.
    """
    if purpose is Purpose.CHECK:
        return Checking(check(task, params, seed=seed, files=files, allowed=allowed))
    if is_checked_first:
        _check_first(task, params, seed=seed, files=files, allowed=allowed)
    settled = _settled(task, params)

    def begun(part: Part) -> Steps:
        data = prepare(task.data, purpose=purpose, fold=part.fold, files=files, device=device)
        randomness = Randomness.from_seed(part.seed, device=device, is_torchs_own=task.name in allowed)
        network = _network(task.name, settled, data, randomness, allowed).to(device)
        loss = loss_of(settled["loss"], data.problem)
        # Networks that are built in have a batch normalisation of their own, which takes one example too.
        plan = Plan.of(settled, leaves_none_alone=task.name in allowed)
        training = Training(network, data, plan, loss=loss, randomness=randomness)
        if purpose is Purpose.FINAL:
            return Final(training, network, data, loss=loss, hyperparameters=settled)
        return training

    # The final model is one, trained on all folds.
    if purpose is Purpose.FINAL or not task.trainings:
        return begun(Part(seed))
    whole = split_hash(task.data, files=files)
    return Repeated(parts(folds=task.data.split.folds, repeats=task.repeats, seed=seed), begun, split=whole)


def check(
    task: TaskSpec,
    params: Params,
    *,
    seed: int,
    files: Mapping[str, Path],
    allowed: Mapping[str, own.Build] = NONE_ALLOWED,
    effort: Effort = THOROUGH,
) -> GradientCheck:
    """Check the gradients of what a training would begin with, on the CPU.

    Raises:
        Uncheckable: They cannot be checked.
        ValueError: As for a training.
    """
    settled = _settled(task, params)
    data = prepare(task.data, files=files, device=_CPU, fold=0 if task.data.split.folds else None)
    randomness = Randomness.from_seed(seed, device=_CPU, is_torchs_own=task.name in allowed)
    network = _network(task.name, settled, data, randomness, allowed)
    return checked(network, data, settled, seed=seed, effort=effort)


def _check_first(
    task: TaskSpec, params: Params, *, seed: int, files: Mapping[str, Path], allowed: Mapping[str, own.Build]
) -> None:
    try:
        found = check(task, params, seed=seed, files=files, allowed=allowed, effort=BRIEF)
    except Exception as error:  # noqa: BLE001  # what is wrong with the code itself, the training meets too
        said = {"kind": type(error).__name__, "error": error}
        _log.warning("trains without a check of the gradients: %(kind)s: %(error)s", said)
    else:
        if found.uncompared and not found.is_faulty:
            _log.warning("trains without a whole check of the gradients: %(found)s", {"found": described(found)})
            return
        require(found)


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
