"""Networks with a planted fault in what their backward pass says, and one without."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from workers.training.data import Data

# N examples, D features, H hidden units, C classes.


class _Square(Function):
    """x^2, whose gradient is 2 x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        right: Tensor = 2 * x * gradient
        return right


class _Factor(_Square):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return 1.01 * _Square.backward(ctx, gradient)


class _Sign(_Square):
    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return -_Square.backward(ctx, gradient)


class _MissingTerm(_Square):
    """Of the batch, the last example is forgotten."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        right = _Square.backward(ctx, gradient)
        return torch.cat([right[:-1], torch.zeros_like(right[-1:])])


class _OneEntry(_Square):
    """Of the first example one unit is wrong, by a tenth."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        wrong = _Square.backward(ctx, gradient).clone()
        wrong[0, 2] *= 1.1
        return wrong


class _Detached:
    """One of the two factors does not take part."""

    @staticmethod
    def apply(x: Tensor) -> Tensor:
        return x * x.detach()


FAULTS: dict[str, Any] = {
    "a factor": _Factor,
    "a sign": _Sign,
    "a missing term": _MissingTerm,
    "one entry": _OneEntry,
    "a detached factor": _Detached,
}
"""By what is wrong; each spoils what comes before it: `first.weight` and `first.bias`."""

RIGHT: Any = _Square


def right(params: Mapping[str, Any], data: Data) -> nn.Module:
    """Build a user's own task whose backward pass is right."""
    del params
    return Planted(RIGHT, features=data.inputs[0], classes=data.outputs)


def wrong(params: Mapping[str, Any], data: Data) -> nn.Module:
    """Build one whose backward pass has the wrong sign somewhere."""
    del params
    return Planted(FAULTS["a sign"], features=data.inputs[0], classes=data.outputs)


class Planted(nn.Module):
    """Two layers with a function between them."""

    def __init__(self, function: Any, *, features: int = 4, classes: int = 3) -> None:
        super().__init__()
        self.first = nn.Linear(features, 6)
        self.function = function
        self.last = nn.Linear(6, classes)

    def forward(self, x_ND: Tensor) -> Tensor:
        """Return logits_NC."""
        logits_NC: Tensor = self.last(self.function.apply(self.first(x_ND)))
        return logits_NC
