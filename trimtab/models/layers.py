"""What networks are made of: layers with all that follows them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from trimtab.models.descriptions import Activation, Normalization

# N examples, H units, C channels, Y height, X width.

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}
"""By name."""

_POOLINGS: dict[str, Callable[[int], nn.Module]] = {"max": nn.MaxPool2d, "average": nn.AvgPool2d}


class BatchNormalization(nn.modules.batchnorm._BatchNorm):  # noqa: SLF001  # torch has one for each number of sides
    """Batch normalisation of units or of channels.

    A batch of one value a unit has no variance: it is normalised by the running figures, as in evaluation, where
    torch's own would refuse it. The last batch of an epoch may be one.
    """

    def forward(self, z: Tensor) -> Tensor:
        """Return what is normalised, in the shape it came in."""
        if self.training and z.numel() == self.num_features:
            return batch_norm(z, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(z)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  # torch's name
        """Take any number of sides."""


class Hidden(nn.Linear):
    """A hidden layer: linear, normalised, activated and, where training has put a `dropout` there, dropped.

    Args:
        inputs: How many.
        units: How many.
        activation: By name.
        normalization: By name.
    """

    dropout: nn.Module | None

    def __init__(self, inputs: int, units: int, *, activation: Activation, normalization: Normalization) -> None:
        # The mean that batch normalisation subtracts would take any bias along.
        super().__init__(inputs, units, bias=normalization != "batch")
        self.normalization: nn.Module | None = _normalization(normalization, units, over_units=True)
        self.activation = ACTIVATIONS[activation]()
        self.register_module("dropout", None)

    def forward(self, a_NH: Tensor) -> Tensor:
        """Return the activations of the units."""
        z_NH = super().forward(a_NH)
        if self.normalization is not None:
            z_NH = self.normalization(z_NH)
        a_NH = self.activation(z_NH)
        return a_NH if self.dropout is None else self.dropout(a_NH)


class Block(nn.Module):
    """A block of convolution, normalisation, activation and pooling; sides stay as they are but for the pooling.

    Args:
        inputs: Channels.
        channels: Channels.
        kernel_size: Side of the kernels, odd.
        activation: By name.
        normalization: By name.
        pooling: By name; none: as `none`.
        residual: Whether it adds what goes in to what goes into the activation; where the numbers of channels differ,
            by a projection (1 x 1).
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        *,
        kernel_size: int,
        activation: Activation,
        normalization: Normalization,
        pooling: str,
        residual: bool,
    ) -> None:
        super().__init__()
        has_bias = normalization != "batch"
        self.convolution = nn.Conv2d(inputs, channels, kernel_size, padding=kernel_size // 2, bias=has_bias)
        self.normalization: nn.Module | None = _normalization(normalization, channels, over_units=False)
        self.is_residual = residual
        is_projected = residual and inputs != channels
        self.projection: nn.Conv2d | None = nn.Conv2d(inputs, channels, 1, bias=False) if is_projected else None
        self.activation = ACTIVATIONS[activation]()
        self.pooling: nn.Module | None = None if pooling == "none" else _POOLINGS[pooling](2)

    def forward(self, a_NCYX: Tensor) -> Tensor:
        """Return the activations of the channels, pooled."""
        z_NCYX = self.convolution(a_NCYX)
        if self.normalization is not None:
            z_NCYX = self.normalization(z_NCYX)
        if self.is_residual:
            z_NCYX = z_NCYX + (a_NCYX if self.projection is None else self.projection(a_NCYX))
        a_NCYX = self.activation(z_NCYX)
        return a_NCYX if self.pooling is None else self.pooling(a_NCYX)


def _normalization(name: Normalization, count: int, *, over_units: bool) -> nn.Module | None:
    match name:
        case "none":
            return None
        case "batch":
            return BatchNormalization(count)
        case "layer":
            return nn.LayerNorm(count) if over_units else nn.GroupNorm(1, count)


@torch.no_grad()
def clear(network: nn.Module) -> None:
    """Set weights and biases of layers to zero, and normalisations to what leaves the variance at 1."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            module.weight.zero_()
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, BatchNormalization | nn.LayerNorm | nn.GroupNorm):
            module.reset_parameters()
