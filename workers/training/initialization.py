"""First weights: of such variance that activations neither fade nor grow from layer to layer."""

import math
from enum import StrEnum
from typing import assert_never

import torch
from torch import nn


class Initialization(StrEnum):
    """The variance of a layer's first weights."""

    HE = "he"
    LECUN = "lecun"
    XAVIER = "xavier"


_RECTIFIERS = frozenset({"relu", "leaky_relu", "gelu"})


def choose(activation: str | None) -> Initialization:
    """Return what suits the layer before an activation; None: a linear one, such as the output layer.

    A rectifier passes half of the variance on and so needs twice as much.
    """
    return Initialization.HE if activation in _RECTIFIERS else Initialization.LECUN


def standard_deviation(kind: Initialization, *, inputs: int, outputs: int) -> float:
    """Return the standard deviation of the first weights of a layer.

    Source: he: He et al., "Delving Deep into Rectifiers" (2015), eq. 10. lecun: LeCun et al., "Efficient
        BackProp" (1998), eq. 16. xavier: Glorot and Bengio, "Understanding the difficulty of training deep
        feedforward neural networks" (2010), eq. 12.
    """
    match kind:
        case Initialization.HE:
            return math.sqrt(2 / inputs)
        case Initialization.LECUN:
            return math.sqrt(1 / inputs)
        case Initialization.XAVIER:
            return math.sqrt(2 / (inputs + outputs))
        case _:
            assert_never(kind)


@torch.no_grad()
def initialize(
    layer: nn.Linear | nn.Conv2d, kind: Initialization, generator: torch.Generator, *, gain: float = 1.0
) -> None:
    """Draw the weights of a layer from a normal distribution; its biases become zero.

    A convolution's output has as many inputs as its kernels have numbers, and each of its inputs as many outputs.

    Args:
        layer: On the generator's device.
        kind: Its variance.
        generator: What is drawn from.
        gain: What the weights are multiplied by.
    """
    places = layer.weight[0, 0].numel()
    outputs, inputs = layer.weight.shape[0] * places, layer.weight.shape[1] * places
    deviation = gain * standard_deviation(kind, inputs=inputs, outputs=outputs)
    layer.weight.normal_(0.0, deviation, generator=generator)
    if layer.bias is not None:
        layer.bias.zero_()
