"""The task `mlp`: a multilayer perceptron."""

from typing import Any

from torch import nn

from trimtab.message import Params
from trimtab.models.descriptions import Perceptron
from workers.tasks.lists import for_each
from workers.training.data import Data
from workers.training.network import Start, trainable
from workers.training.randomness import Randomness


def build(params: Params, data: Data, randomness: Randomness) -> nn.Module:
    """Return the network that hyperparameters, all of them, describe, for such data, on the CPU."""
    start = Start.of(params, dropout=for_each(params, "dropout", per="hidden_layers"))
    return trainable(describe(params, data), start, randomness)


def describe(params: Params, data: Data) -> Perceptron:
    """Return what the network is, apart from its weights."""
    settled: dict[str, Any] = dict(params)
    return Perceptron(
        inputs=tuple(data.inputs),
        outputs=data.outputs,
        hidden_units=for_each(params, "hidden_units", per="hidden_layers"),
        activation=settled["activation"],
        normalization=settled["normalization"],
    )
