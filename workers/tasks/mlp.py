"""The task `mlp`: a multilayer perceptron."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from trimtab.message import Params
from workers.training.data import Data
from workers.training.network import Architecture, perceptron
from workers.training.randomness import Randomness


def build(params: Params, data: Data, randomness: Randomness) -> nn.Module:
    """Return the network that hyperparameters, all of them, describe, for such data, on the CPU."""
    architecture = Architecture(
        features=data.inputs[0],
        classes=data.outputs,
        hidden_units=_for_each_layer(params, "hidden_units"),
        activation=str(params["activation"]),
        initialization=str(params["initialization"]),
        dropout=_for_each_layer(params, "dropout"),
    )
    return perceptron(architecture, randomness)


def _for_each_layer(params: Params, name: str) -> Sequence[Any]:
    """Return a value for each hidden layer, of one that all share or of a list."""
    value, layers = params[name], params["hidden_layers"]
    assert isinstance(layers, int), "the task allows no other"
    return value if isinstance(value, tuple) else (value,) * layers
