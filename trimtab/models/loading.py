"""Read a model from its file: no pickle, and no code but what the caller gives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import nn

from trimtab.data import Problem
from trimtab.models import archive
from trimtab.models.card import Card
from trimtab.models.errors import ModelUnreadable
from trimtab.models.model import Model
from trimtab.models.networks import network_of


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
    card, weights = archive.read(Path(path))
    network = _network(card, build)
    try:
        network.load_state_dict(safetensors.torch.load(weights))
    except (RuntimeError, SafetensorError) as error:
        raise ModelUnreadable(f"the weights in {path} are not those of its network: {error}") from error
    return Model(card, network)


def _network(card: Card, build: Build | None) -> nn.Module:
    if card.network is not None:
        return network_of(card.network)
    if build is None:
        raise ModelUnreadable(f"the network is the user's own: give load_model the build of {card.task}")
    return build(card.hyperparameters, Shape(card.inputs, card.outputs, card.problem)).cpu()
