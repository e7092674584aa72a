"""The task `mlp`: classification by a multilayer perceptron."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from trimtab.message import Params
from trimtab.study import DataSpec
from trimtab.tasks import MLP
from workers.training.data import Data, prepare
from workers.training.loop import Plan, Training
from workers.training.network import Architecture, perceptron
from workers.training.optimizer import UpdateRule
from workers.training.randomness import Randomness
from workers.training.schedule import Schedule

loss = cross_entropy
"""From logits_NC and y_N to the mean loss: softmax cross-entropy, in nats."""


def build(params: Params, data: Data, randomness: Randomness) -> nn.Module:
    """Return the network that hyperparameters describe, for data of such features and classes, on the CPU."""
    return perceptron(_architecture(_settled(params), data), randomness)


def begin(params: Params, data: DataSpec, *, seed: int, device: torch.device) -> Training:
    """Return a training at its beginning. The same arguments give the same figures, bit for bit.

    Args:
        params: Hyperparameters by name; those left out have their defaults (trimtab.tasks).
        data: The data set and how it is split.
        seed: All the randomness of the training.
        device: Where to train.

    Raises:
        torch.OutOfMemoryError: The device has too little memory.
    """
    randomness = Randomness.from_seed(seed, device=device)
    prepared = prepare(data.dataset, split_seed=data.split.seed, device=device)
    network = build(params, prepared, randomness).to(device)
    return Training(network, prepared, _plan(_settled(params)), loss=loss, randomness=randomness)


def _settled(params: Params) -> dict[str, Any]:
    # Any: what type a value has is settled by its name, in trimtab.tasks.
    return {name: knob.default for name, knob in MLP.hyperparameters.items()} | dict(params)


def _architecture(settled: Mapping[str, Any], data: Data) -> Architecture:
    return Architecture(
        features=data.features,
        classes=data.classes,
        hidden_units=_for_each_layer(settled, "hidden_units"),
        activation=settled["activation"],
        initialization=settled["initialization"],
        dropout=_for_each_layer(settled, "dropout"),
    )


def _for_each_layer(settled: Mapping[str, Any], name: str) -> Sequence[Any]:
    """Return a value for each hidden layer, of one that all share or of a list."""
    value = settled[name]
    return value if isinstance(value, tuple) else (value,) * settled["hidden_layers"]


def _plan(settled: Mapping[str, Any]) -> Plan:
    rule = UpdateRule(
        name=settled["optimizer"],
        learning_rate=settled["learning_rate"],
        momentum=settled["momentum"],
        beta1=settled["beta1"],
        beta2=settled["beta2"],
        epsilon=settled["epsilon"],
        l2=settled["l2"],
        weight_decay=settled["weight_decay"],
    )
    schedule = Schedule(settled["decay"], rate=settled["decay_rate"], epochs=settled["epochs"])
    return Plan(settled["batch_size"], rule, schedule)
