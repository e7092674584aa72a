"""What is minimised: the mean over examples of how far outputs are from targets."""

from collections.abc import Callable
from functools import partial

from torch import Tensor
from torch.nn.functional import cross_entropy, huber_loss, l1_loss, mse_loss

from trimtab.data import Problem

# N examples, K outputs: a class each, or one number.

Loss = Callable[[Tensor, Tensor], Tensor]
"""From outputs_NK and y_N, classes or numbers, to the mean loss, a scalar."""

_DISTANCES: dict[str, Loss] = {"squared": mse_loss, "absolute": l1_loss, "huber": huber_loss}


def loss_of(name: str, problem: Problem) -> Loss:
    """Return a loss by its name.

    With z the output and t the target, huber is (z - t)^2 / 2 where |z - t| <= 1 and |z - t| - 1/2 elsewhere.

    Args:
        name: cross_entropy for classes; squared, absolute or huber for numbers; auto: cross_entropy, or squared.
        problem: What is learned.

    Raises:
        ValueError: The loss does not go with the problem.

    Source: Huber, "Robust Estimation of a Location Parameter" (1964), with k = 1.
    """
    is_number = problem is Problem.REGRESSION
    if name == "auto":
        name = "squared" if is_number else "cross_entropy"
    if is_number is not (name in _DISTANCES):
        raise ValueError(f"the loss {name} is not for {problem}")
    return partial(_between, _DISTANCES[name]) if is_number else cross_entropy


def _between(distance: Loss, outputs_NK: Tensor, y_N: Tensor) -> Tensor:
    return distance(outputs_NK, y_N.unsqueeze(1).to(outputs_NK.dtype))
