"""The loop: train for an epoch, measure, yield."""

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from workers.training.data import Data, Examples
from workers.training.errors import Diverged
from workers.training.optimizer import UpdateRule, optimizer_of
from workers.training.schedule import Schedule

# N examples, M examples of a batch, D features, C classes.

Loss = Callable[[Tensor, Tensor], Tensor]
"""From logits_NC and y_N to the mean loss, a scalar."""


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Args:
        batch_size: Examples in a step; the last batch of an epoch has what is left.
        rule: How weights are updated.
        schedule: How the learning rate falls, and for how many epochs.
    """

    batch_size: int
    rule: UpdateRule
    schedule: Schedule


@dataclass(frozen=True)
class Figures:
    """What an epoch led to, in evaluation mode: nothing dropped, no regularisation in the loss.

    Args:
        training_error: Share of the training set that is classified wrongly, in [0, 1].
        validation_error: The same of the validation set.
        training_loss: Mean loss on the training set.
        validation_loss: Mean loss on the validation set.
    """

    training_error: float
    validation_error: float
    training_loss: float
    validation_loss: float


@dataclass(frozen=True)
class Epoch:
    """One pass over the training set.

    Args:
        step: Which one, counted from 1.
        figures: What it led to.
    """

    step: int
    figures: Figures

    @property
    def metrics(self) -> dict[str, float]:
        """The figures by name."""
        return asdict(self.figures)


def epochs(network: nn.Module, data: Data, plan: Plan, *, loss: Loss, order: torch.Generator) -> Iterator[Epoch]:
    """Train a network that is on the data's device; yield after each epoch what it led to.

    Args:
        network: From x_ND to logits_NC; trained in place.
        data: What it is trained and judged on.
        plan: How.
        loss: What is minimised.
        order: Draws the order of examples, on the CPU.

    Raises:
        Diverged: The loss is not finite.
    """
    optimizer = optimizer_of(network, plan.rule)
    for step in range(1, plan.schedule.epochs + 1):
        _set_learning_rate(optimizer, plan.rule.learning_rate * plan.schedule.share(step))
        batches = torch.randperm(len(data.train), generator=order).to(data.train.y_N.device)
        loss_sum = _train(network, optimizer, data.train, torch.split(batches, plan.batch_size), loss)
        yield Epoch(step, _measure(network, data, loss, loss_sum=loss_sum, step=step))


def _set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate


def _train(
    network: nn.Module, optimizer: Optimizer, examples: Examples, batches: tuple[Tensor, ...], loss: Loss
) -> Tensor:
    """Take a step for each batch of row numbers; return the sum of their losses, on the device."""
    network.train()
    loss_sum = torch.zeros((), dtype=torch.float64, device=examples.x_ND.device)
    for rows_M in batches:
        optimizer.zero_grad()
        batch_loss = loss(network(examples.x_ND[rows_M]), examples.y_N[rows_M])
        batch_loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        loss_sum += batch_loss.detach()
    return loss_sum


def _measure(network: nn.Module, data: Data, loss: Loss, *, loss_sum: Tensor, step: int) -> Figures:
    network.eval()
    train, validation = _evaluate(network, data.train, loss), _evaluate(network, data.validation, loss)
    # One wait for the device in each epoch: here.
    seen, *figures = torch.stack((loss_sum, train[0], validation[0], train[1], validation[1])).tolist()
    if not all(math.isfinite(figure) for figure in (seen, *figures)):
        raise Diverged(step)
    return Figures(*figures)


@torch.inference_mode()
def _evaluate(network: nn.Module, examples: Examples, loss: Loss) -> tuple[Tensor, Tensor]:
    """Return the share of wrong answers and the mean loss, two scalars on the device."""
    logits_NC = network(examples.x_ND)
    wrong_N = logits_NC.argmax(dim=1) != examples.y_N
    # float64: a share of N is exact to the last digit only there.
    return wrong_N.double().mean(), loss(logits_NC, examples.y_N).double()
