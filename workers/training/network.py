"""The multilayer perceptron."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from workers.training.initialization import Initialization, choose, initialize
from workers.training.randomness import Randomness

# N examples, H units.

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


@dataclass(frozen=True)
class Architecture:
    """The shape of a perceptron.

    Args:
        features: Inputs.
        classes: Outputs.
        hidden_units: Units of each hidden layer; none: a linear classifier.
        activation: Of the hidden layers: relu, leaky_relu, gelu, tanh or sigmoid.
        initialization: Of every layer: he, lecun or xavier; auto: each layer as suits what follows it.
        dropout: For each hidden layer the share of its units that is dropped in training, in [0, 1).
    """

    features: int
    classes: int
    hidden_units: Sequence[int]
    activation: str
    initialization: str
    dropout: Sequence[float]


class Dropout(nn.Module):
    """Inverted dropout: a unit stays with probability 1 - share and is divided by it; all stay in evaluation.

    Unlike torch's own it draws from a generator of its own, so that nothing else moves its stream.

    Args:
        share: Probability that a unit is dropped, in [0, 1).
        generator: On the device of what is dropped.
    """

    def __init__(self, share: float, generator: torch.Generator) -> None:
        super().__init__()
        self.keep = 1 - share
        self.generator = generator

    def forward(self, a_NH: Tensor) -> Tensor:
        """Return the activations, some of them zero in training."""
        if not self.training:
            return a_NH
        mask_NH = torch.empty_like(a_NH).bernoulli_(self.keep, generator=self.generator)
        return a_NH * mask_NH.div_(self.keep)


def perceptron(shape: Architecture, randomness: Randomness) -> nn.Sequential:
    """Build a perceptron on the CPU, its weights drawn, its biases zero. It returns logits."""
    widths = [shape.features, *shape.hidden_units]
    modules: list[nn.Module] = []
    for (inputs, outputs), dropout in zip(pairwise(widths), shape.dropout, strict=True):
        modules.append(_linear(inputs, outputs, _kind(shape, activation=shape.activation), randomness))
        modules.append(_ACTIVATIONS[shape.activation]())
        if dropout > 0:
            modules.append(Dropout(dropout, randomness.dropout))
    modules.append(_linear(widths[-1], shape.classes, _kind(shape, activation=None), randomness))
    return nn.Sequential(*modules)


def _kind(shape: Architecture, *, activation: str | None) -> Initialization:
    if shape.initialization == "auto":
        return choose(activation)
    return Initialization(shape.initialization)


def _linear(inputs: int, outputs: int, kind: Initialization, randomness: Randomness) -> nn.Linear:
    # Without torch's own first weights: they would be drawn from the process's randomness, then thrown away.
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, inputs, outputs)  # type: ignore[no-untyped-call]
    initialize(layer, kind, randomness.weights)
    return layer
