"""Read a model from its file: no pickle, and no code but what the caller gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor, nn

from trimtab.data import Problem
from trimtab.models import archive
from trimtab.models.card import Card
from trimtab.models.descriptions import Description
from trimtab.models.errors import ModelUnreadable
from trimtab.models.model import Model
from trimtab.models.networks import network_of, outline_of
from trimtab.models.preprocessing import Preprocessing


@dataclass(frozen=True)
class Shape:
    """What a user's `build` is told of the data where a model is loaded.

    Args:
        inputs: Shape of one example.
        outputs: Of the network.
        problem: What is learned.
    """

    inputs: tuple[int, ...]
    outputs: int
    problem: Problem


Build = Callable[[Mapping[str, Any], Any], nn.Module]
"""A user's: from hyperparameters and data to a network."""


def load(path: str | Path, build: Build | None = None) -> Model:
    """Return a model from its file.

    Args:
        path: Of the file.
        build: What built the network, where that is the user's own.

    Raises:
        ModelUnreadable: It is no file of a model, it needs `build`, or `build` gives another network.
        OSError: It cannot be read.
    """
    card, content = archive.read(Path(path))
    preprocessing = _preprocessing(card, path)
    try:
        weights = safetensors.torch.load(content)
        network = _network(card, weights, build)
        network.load_state_dict(weights)
    except (RuntimeError, SafetensorError) as error:
        raise ModelUnreadable(f"the weights in {path} are not those of its network: {error}") from error
    return Model(card, network, preprocessing)


def _preprocessing(card: Card, path: str | Path) -> Preprocessing:
    try:
        found = Preprocessing.of(card.preprocessing)
    except ValueError as error:
        raise ModelUnreadable(f"{path} does not say how rows become inputs: {error}") from error
    answers = 1 if found.classes is None else len(found.classes)
    if (found.inputs, answers) != (card.inputs, card.outputs):
        takes = f"{found.inputs} inputs and {answers} outputs, and the network {card.inputs} and {card.outputs}"
        raise ModelUnreadable(f"{path} does not say how rows become inputs: its rows have {takes}")
    if (found.classes is None) != (card.problem is Problem.REGRESSION):
        raise ModelUnreadable(f"{path} does not say what it answers: {card.problem}, and the classes {found.classes}")
    return found


def _network(card: Card, weights: Mapping[str, Tensor], build: Build | None) -> nn.Module:
    """Return the network that the weights are of, with weights of its own.

    Raises:
        ModelUnreadable: It needs `build`.
        RuntimeError: They are those of another one.
    """
    if card.network is not None:
        return _described(card.network, card, weights)
    if build is None:
        raise ModelUnreadable(f"the network is the user's own: give load_model the build of {card.task}")
    return build(card.hyperparameters, Shape(card.inputs, card.outputs, card.problem)).cpu()


def _described(description: Description, card: Card, weights: Mapping[str, Tensor]) -> nn.Module:
    if (description.inputs, description.outputs) != (card.inputs, card.outputs):
        raise RuntimeError(f"it takes {description.inputs} in and gives {description.outputs}")
    # Before any memory is taken: a file is small, and what it says of a network may be large.
    for name, outline in outline_of(description).state_dict().items():
        if name not in weights or weights[name].shape != outline.shape:
            raise RuntimeError(f"{name} is of the shape {tuple(outline.shape)}")
    return network_of(description)
