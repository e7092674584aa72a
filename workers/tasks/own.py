"""Tasks of the user's own, `module:attribute`: imported where whoever started the worker has allowed them by name."""

import importlib
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import torch
from torch import Tensor, nn

from trimtab.errors import Misconfigured
from workers.training.data import Data

# N examples, K outputs.

Build = Callable[[Mapping[str, Any], Data], nn.Module]
"""A user's: from hyperparameters and the data, without its test set, to a network."""


def load(name: str) -> Build:
    """Import a task of the user's own.

    Raises:
        Misconfigured: It cannot be imported, or is nothing that can be called.
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise Misconfigured(f"a task of your own is called module:attribute, not {name!r}")
    try:
        build: Build = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        raise Misconfigured(
            f"{name} cannot be imported: {type(error).__name__}: {error}; "
            "start the worker in the folder that has it, or name that folder in PYTHONPATH"
        ) from error
    except Exception as error:  # the module may raise anything
        raise Misconfigured(f"{name} cannot be imported: {type(error).__name__}: {error}") from error
    if not callable(build):
        raise Misconfigured(f"{name} cannot be called: it is of type {type(build).__name__}")
    return build


@dataclass(frozen=True)
class Sources:
    """The files that tasks were imported from: their modules and what lies in the same folders.

    Args:
        changed_at: Nanoseconds when each was changed last, by path, as it was imported; None: it was not there.
    """

    changed_at: Mapping[str, int | None]

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """Return the files of tasks that have just been imported."""
        folders = {Path(file).parent for name in names if (file := _file(sys.modules[name.partition(":")[0]]))}
        files = filter(None, map(_file, list(sys.modules.values())))
        return cls({file: _changed_at(file) for file in files if folders.intersection(Path(file).parents)})

    @property
    def are_changed(self) -> bool:
        """Whether one of them has been changed since."""
        return any(_changed_at(file) != at for file, at in self.changed_at.items())


def _file(module: ModuleType) -> str | None:
    return getattr(module, "__file__", None)


def _changed_at(file: str) -> int | None:
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return None


def network_of(build: Build, params: Mapping[str, Any], data: Data) -> nn.Module:
    """Return the network that a user's code builds, on the device of the data.

    Of the final model, which nothing validates, it is given the training set as validation too: code that was written
    for trials serves it as well.

    Raises:
        TypeError: It is no network, or gives something else than a tensor.
        ValueError: It has nothing to train, or its outputs are not as many as the data needs.
    """
    validation = data.train if data.validation is None else data.validation
    network = build(params, replace(data, validation=validation, test=None))
    if not isinstance(network, nn.Module):
        raise TypeError(f"build returned a {type(network).__name__}, not a torch.nn.Module")
    # Many trials share the examples: a network that works in place would change them for all that follow.
    network.register_forward_pre_hook(_on_a_copy)
    x_ND, _ = next(data.train.chunks(2))
    network.to(x_ND.device).eval()
    with torch.no_grad():  # This gives lazy modules their shapes too, before the optimiser asks for their weights.
        outputs_NK = network(x_ND)
    if not isinstance(outputs_NK, Tensor):
        raise TypeError(f"the network returned a {type(outputs_NK).__name__}, not a tensor")
    if outputs_NK.shape != (len(x_ND), data.outputs):
        needed = f"({len(x_ND)}, {data.outputs})"
        raise ValueError(f"of {len(x_ND)} examples the network's outputs are {tuple(outputs_NK.shape)}, not {needed}")
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ValueError("the network has no parameter that can be trained")
    return network


def _on_a_copy(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(tensor.clone() for tensor in given)


def place(error: BaseException, name: str) -> str | None:
    """Return the last line of the file of a user's task on the way to an error; None: the error is not from there."""
    module = sys.modules.get(name.partition(":")[0]) if ":" in name else None
    file = _file(module) if module else None
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}: {frames[-1].line}" if frames else None
