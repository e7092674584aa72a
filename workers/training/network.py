"""Built-in networks as they are trained: their weights drawn, some of their units dropped."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from trimtab.models.descriptions import Convolutional, Perceptron
from trimtab.models.layers import Block, Hidden
from trimtab.models.networks import ConvolutionalNetwork, PerceptronNetwork, network_of
from workers.training.initialization import Initialization, choose, initialize
from workers.training.randomness import Randomness

# N examples, H units.


@dataclass(frozen=True)
class Start:
    """How a network is before its first step, and what is dropped in training.

    Args:
        initialization: Of every layer: he, lecun or xavier; auto: each layer as suits what follows it.
        gain: What the first weights are multiplied by.
        dropout: For each hidden layer the share of its units that is dropped, in [0, 1); a convolutional network
            without hidden layers has one: of what its last block gives.
        input_dropout: The share of inputs that is dropped, in [0, 1).
    """

    initialization: str = "auto"
    gain: float = 1.0
    dropout: Sequence[float] = ()
    input_dropout: float = 0.0

    @classmethod
    def of(cls, params: Mapping[str, Any], *, dropout: Sequence[float]) -> Self:
        """Return what hyperparameters, all of them, say."""
        return cls(params["initialization"], params["initialization_gain"], dropout, params["input_dropout"])


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

    def forward(self, a: Tensor) -> Tensor:
        """Return the activations, in the shape they came in, some of them zero in training."""
        if not self.training:
            return a
        mask = torch.empty_like(a).bernoulli_(self.keep, generator=self.generator)
        return a * mask.div_(self.keep)


def trainable(description: Perceptron | Convolutional, start: Start, randomness: Randomness) -> nn.Module:
    """Return a network on the CPU, its weights drawn, its biases zero, its dropout in place."""
    network = network_of(description)
    for layer, activation in _layers(network, description.activation):
        initialize(layer, _kind(start.initialization, activation), randomness.weights, gain=start.gain)
    _calm(network)
    network.input_dropout = _dropout(start.input_dropout, randomness)
    if isinstance(network, ConvolutionalNetwork) and not network.hidden:
        network.features_dropout = _dropout(max(start.dropout, default=0.0), randomness)
        return network
    for hidden, share in zip(network.hidden, start.dropout, strict=True):
        hidden.register_module("dropout", _dropout(share, randomness))
    return network


def _layers(
    network: PerceptronNetwork | ConvolutionalNetwork, activation: str
) -> Iterator[tuple[nn.Linear | nn.Conv2d, str | None]]:
    """Yield each layer with the activation that follows it."""
    for module in network.modules():
        if isinstance(module, Hidden):
            yield module, activation
        elif isinstance(module, Block):
            yield module.convolution, activation
            if module.projection is not None:
                yield module.projection, None
    yield network.output, None


@torch.no_grad()
def _calm(network: nn.Module) -> None:
    """Have each of L residual blocks add 1 / sqrt(L) of what it would: otherwise activations grow from block to block.

    Source: De and Smith, "Batch Normalization Biases Residual Blocks Towards the Identity Function" (2020), section 4.
    """
    blocks = [module for module in network.modules() if isinstance(module, Block) and module.is_residual]
    for block in blocks:
        scaled = block.convolution if block.normalization is None else block.normalization
        scaled.get_parameter("weight").mul_(len(blocks) ** -0.5)


def _kind(initialization: str, activation: str | None) -> Initialization:
    return choose(activation) if initialization == "auto" else Initialization(initialization)


def _dropout(share: float, randomness: Randomness) -> nn.Module | None:
    return Dropout(share, randomness.dropout) if share > 0 else None
