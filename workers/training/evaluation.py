"""What a network is worth on a set of examples, in evaluation mode and without regularisation."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trimtab.data import Problem
from workers.training.data import Examples
from workers.training.losses import Loss

# N examples, M examples of a chunk, K outputs.

CHUNK_INPUTS = 2**22
"""Numbers that go through a network at once, 16 MiB of them: a device that can train on batches has room for that."""

_CHUNK_EXAMPLES = 8192


@dataclass(frozen=True)
class Evaluation:
    """What a network is worth, as tensors on the device: nothing has waited for it.

    Args:
        problem: What is learned.
        errors_N: Of each example: classes: 1 where the answer is wrong, else 0; a number: the squared error. float64.
        loss: The mean, a scalar, float64.
    """

    problem: Problem
    errors_N: Tensor
    loss: Tensor

    @property
    def error(self) -> Tensor:
        """The share of wrong answers, or the root of the mean squared error; a scalar, float64."""
        mean = self.errors_N.mean()
        return mean.sqrt() if self.problem is Problem.REGRESSION else mean


@torch.no_grad()
def evaluate(
    network: nn.Module, examples: Examples, loss: Loss, problem: Problem, *, chunk: int | None = None
) -> Evaluation:
    """Evaluate a network that is in evaluation mode, in chunks of examples.

    Losses and errors are computed in float64: a share of N is exact to the last digit only there. What the network
    keeps for later calls may be trained with: of inference mode it could not be.

    Args:
        network: On the device of the examples.
        examples: At least one.
        loss: As in training.
        problem: What is learned.
        chunk: Examples at once; None: by their size.
    """
    chunk = chunk or chunk_of(examples.x_ND.shape[1:])
    errors, losses = [], []
    for x_M, y_M in examples.chunks(chunk):
        outputs_MK = network(x_M).double()
        errors.append(_errors(outputs_MK, y_M, problem))
        losses.append(loss(outputs_MK, y_M) * len(y_M))
    return Evaluation(problem, torch.cat(errors), torch.stack(losses).sum() / len(examples))


def chunk_of(shape: torch.Size) -> int:
    """Return how many examples of such a shape go through a network at once."""
    return max(1, min(_CHUNK_EXAMPLES, CHUNK_INPUTS // math.prod(shape)))


def _errors(outputs_MK: Tensor, y_M: Tensor, problem: Problem) -> Tensor:
    if problem is Problem.REGRESSION:
        return (outputs_MK.squeeze(1) - y_M).square()
    return (outputs_MK.argmax(dim=1) != y_M).double()
