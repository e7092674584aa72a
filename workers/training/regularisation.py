"""What keeps weights small: terms of the loss, and the step that makes weights exactly zero."""

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer


def penalty(weights: Iterable[Tensor], *, l1: float, l2: float) -> Tensor:
    """Return what regularisation adds to the loss: l1 * sum |W| + l2 / 2 * sum W^2, a scalar.

    With l1 = lambda / 2m and l2 = lambda / m these are the course's terms. Training never adds them: its optimiser
    knows their gradients (optimizer_of). They are for whoever needs the loss itself, such as a gradient check.

    Args:
        weights: At least one weight matrix; no biases.
        l1: 0 or above.
        l2: 0 or above.

    Source: Andrew Ng, Improving Deep Neural Networks, week 1, "Regularization".
    """
    terms = [l1 * weight.abs().sum() + l2 / 2 * weight.square().sum() for weight in weights]
    return torch.stack(terms).sum()


class SoftThreshold:
    """After a step moves each weight towards zero by alpha * l1, and no further: the proximal step of l1 * sum |W|.

    Args:
        l1: Above 0.
        weights: Of the network.

    Source: Parikh and Boyd, "Proximal Algorithms" (2014), section 6.5.2.
    """

    def __init__(self, l1: float, weights: Sequence[Tensor]) -> None:
        self.l1 = l1
        self.weights = weights

    @torch.no_grad()
    def __call__(self, optimizer: Optimizer, _args: tuple[Any, ...], _kwargs: dict[Any, Any]) -> None:
        """Shrink the weights, by the learning rate that the step had."""
        threshold = optimizer.param_groups[0]["lr"] * self.l1
        for weight in self.weights:
            weight.sub_(weight.clamp(-threshold, threshold))
