"""The built-in networks: each is what its description says, all its weights zero until they are drawn or read."""

import math
from itertools import pairwise
from typing import assert_never

import torch
from torch import Tensor, nn

from trimtab.models.descriptions import Convolutional, Perceptron
from trimtab.models.layers import Block, Hidden, clear

# N examples, H units, C channels, Y height, X width, K outputs.


def network_of(description: Perceptron | Convolutional) -> "PerceptronNetwork | ConvolutionalNetwork":
    """Return the network of a description, on the CPU, in training mode, float32. Nothing random is drawn."""
    network = outline_of(description)
    network.to_empty(device="cpu")
    clear(network)
    return network


def outline_of(description: Perceptron | Convolutional) -> "PerceptronNetwork | ConvolutionalNetwork":
    """Return the network of a description on the meta device: its weights have shapes, and take no memory.

    Raises:
        RuntimeError: It is larger than torch can say.
    """
    # Torch's own first weights cost nothing there, and no randomness.
    with torch.device("meta"):
        return _network_of(description)


class PerceptronNetwork(nn.Module):
    """A multilayer perceptron. Training may give it an `input_dropout`, and each hidden layer a `dropout`.

    Args:
        description: What it is.
    """

    def __init__(self, description: Perceptron) -> None:
        super().__init__()
        self.description = description
        self.input_dropout: nn.Module | None = None
        inputs = math.prod(description.inputs)
        self.hidden = _hidden(inputs, description)
        self.output = nn.Linear((inputs, *description.hidden_units)[-1], description.outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, (N, K), of examples in the shape of the inputs."""
        a_NH = x.flatten(1)
        if self.input_dropout is not None:
            a_NH = self.input_dropout(a_NH)
        for layer in self.hidden:
            a_NH = layer(a_NH)
        outputs_NK: Tensor = self.output(a_NH)
        return outputs_NK


class ConvolutionalNetwork(nn.Module):
    """A convolutional network.

    Training may give it an `input_dropout`, and a `features_dropout` of what the last block gives, or each hidden
    layer a `dropout`.

    Args:
        description: What it is.
    """

    def __init__(self, description: Convolutional) -> None:
        super().__init__()
        self.description = description
        self.input_dropout: nn.Module | None = None
        self.features_dropout: nn.Module | None = None
        self.blocks, features = _blocks(description)
        self.hidden = _hidden(features, description)
        self.output = nn.Linear((features, *description.hidden_units)[-1], description.outputs)

    def forward(self, x_NCYX: Tensor) -> Tensor:
        """Return the outputs, (N, K), of images."""
        a_NCYX = x_NCYX if self.input_dropout is None else self.input_dropout(x_NCYX)
        for block in self.blocks:
            a_NCYX = block(a_NCYX)
        a_NH = a_NCYX.flatten(1)
        if self.features_dropout is not None:
            a_NH = self.features_dropout(a_NH)
        for layer in self.hidden:
            a_NH = layer(a_NH)
        outputs_NK: Tensor = self.output(a_NH)
        return outputs_NK


def _network_of(description: Perceptron | Convolutional) -> PerceptronNetwork | ConvolutionalNetwork:
    match description:
        case Perceptron():
            return PerceptronNetwork(description)
        case Convolutional():
            return ConvolutionalNetwork(description)
        case _:
            assert_never(description)


def _hidden(inputs: int, description: Perceptron | Convolutional) -> nn.ModuleList:
    widths = (inputs, *description.hidden_units)
    return nn.ModuleList(
        Hidden(*pair, activation=description.activation, normalization=description.normalization)
        for pair in pairwise(widths)
    )


def _blocks(description: Convolutional) -> tuple[nn.ModuleList, int]:
    """Return the blocks, and how many numbers the last one gives for an image."""
    blocks = nn.ModuleList()
    inputs, height, width = description.inputs
    for channels in description.channels:
        is_pooled = description.pooling != "none" and min(height, width) > 1
        blocks.append(
            Block(
                inputs,
                channels,
                kernel_size=description.kernel_size,
                activation=description.activation,
                normalization=description.normalization,
                pooling=description.pooling if is_pooled else "none",
                residual=description.residual,
            )
        )
        inputs = channels
        height, width = (height // 2, width // 2) if is_pooled else (height, width)
    return blocks, inputs * height * width
