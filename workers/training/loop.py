"""The loop: train for an epoch, measure, yield; and the state that it can go on from."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trimtab.tasks.training import METRICS
from workers.training.data import Data, Examples
from workers.training.errors import CheckpointForeign, Diverged
from workers.training.evaluation import evaluate
from workers.training.losses import Loss
from workers.training.optimizer import optimizer_of
from workers.training.plan import Plan
from workers.training.randomness import Randomness
from workers.training.steps import Epoch, State

# N examples, M examples of a batch, D features, C classes.


class Training:
    """A network in training: its weights, its optimiser, its randomness, and how far it has come.

    What the state does not hold follows from the arguments: the same ones and the state of one training give
    another that goes on as the first would have, bit for bit on a device of the same type.

    Args:
        network: From x_ND to logits_NC, on the data's device; trained in place.
        data: What it is trained and judged on.
        plan: How.
        loss: What is minimised.
        randomness: Draws the order of examples, and whatever the network draws.
    """

    def __init__(self, network: nn.Module, data: Data, plan: Plan, *, loss: Loss, randomness: Randomness) -> None:
        self._network = network
        self._data = data
        self._plan = plan
        self._loss = loss
        self._randomness = randomness
        self._optimizer = optimizer_of(network, plan.rule)
        self._step = 0
        self._metrics: dict[str, float] = {}

    @property
    def is_over(self) -> bool:
        """Whether the last epoch is behind it."""
        return self._step >= self._plan.schedule.epochs

    def epochs(self) -> Iterator[Epoch]:
        """Train on to the end; yield after each epoch what it led to.

        Raises:
            Diverged: The loss is not finite.
        """
        while not self.is_over:
            self._step += 1
            loss_sum = self._train()
            self._metrics = _measure(self._network, self._data, self._loss, loss_sum=loss_sum, step=self._step)
            yield Epoch(self._step, self._metrics)

    @property
    def result(self) -> Epoch:
        """The last epoch's figures and what is known of the data, once the training is over."""
        return Epoch(self._step, self._metrics | dict(self._data.facts))

    def state(self) -> State:
        """Return all that the epochs to come depend on. It changes with the training: it is no copy."""
        return {
            "step": self._step,
            "split": self._data.split_hash,
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "randomness": self._randomness.state(),
        }

    def restore(self, state: State) -> None:
        """Go on from the state of another training.

        Raises:
            CheckpointForeign: That was not a training like this one in the midst of it. This one is of no use any more.
        """
        if state.get("split") != self._data.split_hash:
            raise CheckpointForeign("the checkpoint is of other data")
        try:
            self._network.load_state_dict(state["network"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._randomness.restore(state["randomness"])
            self._step = int(state["step"])
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointForeign(f"the checkpoint is of another kind of training: {error}") from error
        if self._step < 1 or self.is_over:
            raise CheckpointForeign(f"the checkpoint is of step {self._step} of {self._plan.schedule.epochs}")

    def _train(self) -> Tensor:
        """Train for an epoch; return the sum of the losses of its batches, on the device."""
        plan, examples = self._plan, self._data.train
        _set_learning_rate(self._optimizer, plan.rule.learning_rate * plan.schedule.share(self._step))
        order = torch.randperm(len(examples), generator=self._randomness.order).to(examples.y_N.device)
        return _train(self._network, self._optimizer, examples, torch.split(order, plan.batch_size), self._loss)


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


def _measure(network: nn.Module, data: Data, loss: Loss, *, loss_sum: Tensor, step: int) -> dict[str, float]:
    network.eval()
    train, validation = (evaluate(network, part, loss, data.problem) for part in (data.train, data.validation))
    # One wait for the device in each epoch: here.
    measured = (loss_sum, train.error, validation.error, train.loss, validation.loss)
    batches_loss, *figures = torch.stack(measured).tolist()
    parameters = sum(parameter.numel() for parameter in network.parameters())
    metrics = dict(zip(METRICS, (*figures, parameters), strict=True))
    if not all(map(math.isfinite, (batches_loss, *figures))):
        raise Diverged("the loss is not finite", step=step, metrics=metrics)
    return metrics
