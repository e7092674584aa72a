"""A gradient check as a trial has it: of the network and the loss that its params describe, on a few examples."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from trimtab.checks import FIGURE, TENSOR, UNCOMPARED, Rating
from workers.training.data import Data
from workers.training.errors import CheckpointForeign, GradientWrong, Uncheckable
from workers.training.gradient_check import MOST, check_gradients
from workers.training.gradient_figures import GradientCheck, TensorCheck
from workers.training.losses import loss_of
from workers.training.objective import Penalty, still
from workers.training.steps import Epoch, Heed, State, heed_nothing

_TENSORS = 50
"""Of which figures are told: a message holds 64 in all."""

_NAMED = 3


@dataclass(frozen=True)
class Effort:
    """How much is looked at.

    Args:
        parameters: All of them where there are no more; else a sample of each tensor, so many together.
        examples: Of the training set, evenly spaced. With each there are more kinks, and no other line is reached.
        operations: Of floating-point numbers that it may take, about. Of a network that needs more of them fewer
            parameters are looked at, but one of each tensor.
        is_dispensable: Whether nothing is looked at where even that takes more.
    """

    parameters: int
    examples: int
    operations: float
    is_dispensable: bool = False


THOROUGH = Effort(parameters=MOST, examples=32, operations=1e13)
"""Ten minutes of a core that does 2e10 operations a second, where a tensor each does not take more."""

BRIEF = Effort(parameters=200, examples=8, operations=5e11, is_dispensable=True)
"""Before a training: less than a second for most networks, half a minute of such a core for large ones."""

_LOSSES = 4
"""That each parameter needs, see workers.training.slopes."""


def checked(network: nn.Module, data: Data, settled: Mapping[str, Any], *, seed: int, effort: Effort) -> GradientCheck:
    """Check the gradients of a network on the CPU, by its first weights.

    Args:
        network: As built.
        data: Gives the examples.
        settled: All hyperparameters: of them the loss and the regularisation that is part of it.
        seed: Which parameters are looked at, where there are more.
        effort: How much.

    Raises:
        Uncheckable: See check_gradients; or it would take too long.
    """
    rows = torch.linspace(0, len(data.train) - 1, min(effort.examples, len(data.train))).long()
    x, y = data.train.batch(rows.to(data.train.y_N.device))
    penalty = Penalty(l1=settled["l1"], l2=settled["l2"])
    loss = loss_of(settled["loss"], data.problem)
    most = _affordable(network, x.cpu(), effort)
    return check_gradients(network, loss, x.cpu(), y.cpu(), penalty=penalty, most=most, seed=seed)


def _affordable(network: nn.Module, x: Tensor, effort: Effort) -> int:
    """Return how many parameters may be looked at.

    Raises:
        Uncheckable: Too few.
    """
    with still(network), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(x)
    of_one = _LOSSES * max(1, counter.get_total_flops())
    affordable, least = int(effort.operations // of_one), sum(each.requires_grad for each in network.parameters())
    if affordable < least and effort.is_dispensable:
        raise Uncheckable(f"one parameter of each tensor would take {of_one * least:.1e} operations")
    return min(effort.parameters, max(affordable, least))


class Checking:
    """The gradient check in place of a training: one step, whose metrics are its figures.

    Args:
        found: What came of it.
    """

    def __init__(self, found: GradientCheck) -> None:
        self._found = found
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether the figures were given."""
        return self._is_over

    @property
    def split(self) -> None:
        """A check is no training: it has none."""
        return None

    def epochs(self, _heed: Heed = heed_nothing) -> Iterator[Epoch]:
        """Yield the figures.

        Raises:
            GradientWrong: They say that backward is.
        """
        if not self._is_over:
            self._is_over = True
            yield self.result
            require(self._found)

    @property
    def result(self) -> Epoch:
        """The figures."""
        return Epoch(1, metrics(self._found))

    def state(self) -> State:
        """Return nothing: there is nothing to go on from."""
        return {}

    def restore(self, state: State) -> None:
        """Refuse to go on: a check begins anew.

        Raises:
            CheckpointForeign: Always.
        """
        raise CheckpointForeign("a gradient check has no checkpoint")


def metrics(found: GradientCheck) -> dict[str, float]:
    """Return the figures by name: over all, and of the tensors that have any, of very many the worst."""
    told = sorted((tensor for tensor in found.tensors if tensor.checked), key=lambda tensor: -tensor.figure)[:_TENSORS]
    return {
        FIGURE: found.figure,
        "checked": found.checked,
        "kinks": found.kinks,
        "parameters": found.size,
        **({UNCOMPARED: found.uncompared} if found.uncompared else {}),
        **{metric_of(tensor.name): tensor.figure for tensor in found.tensors if tensor in told},
    }


def metric_of(tensor: str) -> str:
    """Return what the figure of a tensor is called: a metric's name has letters, digits, dots and underscores."""
    return TENSOR + re.sub(r"[^A-Za-z0-9_.]", "_", tensor)[:120]


def require(found: GradientCheck) -> None:
    """Return if backward is right, as far as the check can tell.

    Raises:
        GradientWrong: It is not, or too little of it could be compared.
    """
    if not found.rating.is_passed:
        raise GradientWrong(described(found))


def described(found: GradientCheck) -> str:
    """Return in words which tensors are not right, the worst first, and where."""
    faulty = sorted(
        (tensor for tensor in found.tensors if not tensor.rating.is_passed), key=lambda tensor: -tensor.figure
    )
    words = "; ".join(map(_described, faulty[:_NAMED]))
    return f"{words}; and {len(faulty) - _NAMED} more tensors" if len(faulty) > _NAMED else words


def _described(tensor: TensorCheck) -> str:
    if Rating.of(tensor.figure).is_passed:
        looked_at = tensor.checked + tensor.kinks
        return (
            f"the gradient of {tensor.name} is {tensor.rating}: {tensor.kinks} of {looked_at} of its parameters could "
            "not be compared, since the loss has kinks there or bends too sharply for differences"
        )
    entries = ", ".join(
        f"{list(entry.index)} is {entry.numerical:.6g} by differences and {entry.backward:.6g} by backward"
        for entry in tensor.worst
    )
    return f"the gradient of {tensor.name} is {tensor.rating} (figure {tensor.figure:.2g}): {entries}"
