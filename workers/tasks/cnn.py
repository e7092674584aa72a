"""The task `cnn`: a convolutional network."""

from collections.abc import Sequence
from typing import Any

from torch import nn

from trimtab.message import Params
from trimtab.models.descriptions import Convolutional
from workers.tasks.lists import for_each
from workers.training.data import Data
from workers.training.network import Start, trainable
from workers.training.randomness import Randomness


def build(params: Params, data: Data, randomness: Randomness) -> nn.Module:
    """Return the network that hyperparameters, all of them, describe, for such images, on the CPU."""
    start = Start.of(params, dropout=_dropout(params))
    return trainable(describe(params, data), start, randomness)


def describe(params: Params, data: Data) -> Convolutional:
    """Return what the network is, apart from its weights."""
    settled: dict[str, Any] = dict(params)
    return Convolutional(
        inputs=tuple(data.inputs),
        outputs=data.outputs,
        channels=for_each(params, "channels", per="conv_blocks"),
        kernel_size=settled["kernel_size"],
        pooling=settled["pooling"],
        residual=settled["residual"],
        hidden_units=for_each(params, "hidden_units", per="hidden_layers"),
        activation=settled["activation"],
        normalization=settled["normalization"],
    )


def _dropout(params: Params) -> Sequence[float]:
    """Return the share of each hidden layer; without hidden layers that of the features, a list of none being none."""
    shares = for_each(params, "dropout", per="hidden_layers")
    return shares or for_each({**params, "features": 1}, "dropout", per="features")
