"""What a built-in network is, in plain values: as JSON in the file of a model."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab.message import Array, Message

Activation = Literal["relu", "leaky_relu", "gelu", "tanh", "sigmoid"]

Normalization = Literal["none", "batch", "layer"]

Size = Annotated[int, Field(ge=1, lt=2**31)]

Sizes = Annotated[tuple[Size, ...], Array, Field(max_length=100)]


class Perceptron(Message):
    """A multilayer perceptron.

    Args:
        inputs: Shape of an example, which is flattened.
        outputs: How many.
        hidden_units: Units of each hidden layer; none: a linear model.
        activation: Of the hidden layers.
        normalization: Of what goes into each activation.
    """

    kind: Literal["mlp"] = "mlp"
    inputs: Annotated[tuple[Size, ...], Array, Field(min_length=1, max_length=3)]
    outputs: Size
    hidden_units: Sizes
    activation: Activation
    normalization: Normalization


class Convolutional(Message):
    """A convolutional network: blocks, then hidden layers on all that the last block gives.

    Args:
        inputs: Channels, height and width of an image.
        outputs: How many.
        channels: Channels of each block.
        kernel_size: Side of the kernels, odd; sides are padded so that they stay.
        pooling: Halves the sides after each block; a block with a side of 1 is not pooled.
        residual: Whether a block adds what goes into it to what goes into its activation.
        hidden_units: Units of each hidden layer.
        activation: Of blocks and hidden layers.
        normalization: Of what goes into each activation; `layer`: over all channels and places of an image.
    """

    kind: Literal["cnn"] = "cnn"
    inputs: Annotated[tuple[Size, ...], Array, Field(min_length=3, max_length=3)]
    outputs: Size
    channels: Annotated[Sizes, Field(min_length=1)]
    kernel_size: Literal[1, 3, 5, 7]
    pooling: Literal["max", "average", "none"]
    residual: bool
    hidden_units: Sizes
    activation: Activation
    normalization: Normalization


Description = Annotated[Perceptron | Convolutional, Field(discriminator="kind")]
"""Of a network, by its kind."""
