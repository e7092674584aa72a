"""The loop: train for an epoch, measure, yield; and the state that it can go on from."""

import math
from collections.abc import Container, Iterator
from dataclasses import asdict
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trimtab.data import Problem
from workers.training.data import Data
from workers.training.early_stopping import Best
from workers.training.errors import CheckpointForeign, Diverged
from workers.training.judge import UNTRAINED_SCALE, Judge, read, zero_share
from workers.training.losses import Loss
from workers.training.optimizer import optimizer_of
from workers.training.plan import Plan
from workers.training.precision import forward_of
from workers.training.randomness import Randomness
from workers.training.stepper import Stepper
from workers.training.steps import Epoch, Heed, State, heed_nothing
from workers.training.watch import ACTIVITY, STEPS, Beginning, Gradients, why_diverged

# N examples, M examples of a batch.


class Training:
    """A network in training: its weights, its optimiser, its randomness, and how far it has come.

    What the state does not hold follows from the arguments: the same ones and the state of one training give
    another that goes on as the first would have, bit for bit on a device of the same type.

    Args:
        network: From features to outputs, on the data's device; trained in place.
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
        self._forward = forward_of(network, plan.precision, next(network.parameters()).device)
        self._optimizer = optimizer_of(network, plan.rule)
        self._stepper = Stepper(self._optimizer)
        self._judge = Judge(network, data, loss)
        self._gradients = Gradients(network)
        self._beginning: Beginning | None = None
        self._best = Best(plan.patience) if plan.patience.epochs and data.validation is not None else None
        self._last = Epoch(0, {})

    @property
    def is_over(self) -> bool:
        """Whether the last epoch is behind it, be it that none has been better for long."""
        return self._last.step >= self._plan.schedule.epochs or (self._best is not None and self._best.is_final)

    @property
    def split(self) -> str:
        """SHA-256 of who is where, in what data."""
        return self._data.split_hash

    def epochs(self, heed: Heed = heed_nothing) -> Iterator[Epoch]:
        """Train on to the end; yield after each epoch what it led to.

        Raises:
            Diverged: The loss or the gradient is not finite, or has grown beyond hope.
        """
        while not self.is_over:
            self._last = Epoch(self._last.step + 1, self._epoch(self._last.step + 1, heed))
            if self._best:
                self._best.heed(self._last, self._network)
            yield self._last

    @cached_property
    def result(self) -> Epoch:
        """The epoch that was kept, whose weights the network has then, and what else is known, once all is over."""
        kept = self._last
        if self._best:
            kept = self._best.put_back(self._network)
            self._judge.measure()
        return Epoch(kept.step, kept.metrics | self._facts() | self._judge.standard_errors() | {"best_step": kept.step})

    def state(self) -> State:
        """Return all that the epochs to come depend on. It changes with the training: it is no copy."""
        return {
            "step": self._last.step,
            "metrics": self._last.metrics,
            "beginning": asdict(self._beginning) if self._beginning else None,
            "best": self._best.state() if self._best else None,
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
            self._stepper.restored()
            self._randomness.restore(state["randomness"])
            self._last = Epoch(int(state["step"]), dict(state["metrics"]))
            self._beginning = Beginning(**state["beginning"])
            if self._best:
                self._best.restore(state["best"], self._network)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointForeign(f"the checkpoint is of another kind of training: {error}") from error
        if self._last.step < 1 or self.is_over:
            raise CheckpointForeign(f"the checkpoint is of step {self._last.step} of {self._plan.schedule.epochs}")

    def _epoch(self, step: int, heed: Heed) -> dict[str, float]:
        """Train for an epoch; return what it led to, by name."""
        first = {} if self._beginning else self._judge.glance()
        loss_sum = self._train(step, heed)
        zeros = {"zero_weights": zero_share(self._network)} if self._plan.rule.l1 else {}
        measured = self._judge.measure(is_watched=self._is_watched(step))
        seen = read(first | {"loss_sum": loss_sum} | measured | self._gradients.scalars() | zeros)
        judged = self._judge.figures(seen)
        judged |= self._seen_before(but=judged)
        metrics = judged | self._gradients.figures(seen) | {"parameters": self._parameters}
        metrics |= {name: seen[name] for name in zeros}
        if not self._beginning:
            self._beginning = Beginning(seen["first_loss"], metrics["gradient_norm"], seen.get(UNTRAINED_SCALE))
        reason = why_diverged(metrics | {"loss_sum": seen["loss_sum"]}, self._beginning)
        if reason:
            raise Diverged(f"{reason} in epoch {step}", step=step, metrics=metrics | self._facts())
        return metrics

    def _is_watched(self, step: int) -> bool:
        every = math.ceil(STEPS * self._plan.batch_size / len(self._data.train))
        return step in {1, self._plan.schedule.epochs} or step % every == 0

    def _seen_before(self, *, but: Container[str]) -> dict[str, float]:
        """Return what hidden layers did when they were looked at last, but for what is seen now."""
        last = self._last.metrics
        return {name: last[name] for name in ACTIVITY if name in last and name not in but}

    @cached_property
    def _parameters(self) -> float:
        return sum(parameter.numel() for parameter in self._network.parameters() if parameter.requires_grad)

    def _facts(self) -> dict[str, float]:
        """Return what is known beside the figures of an epoch."""
        assert self._beginning, "an epoch was trained"
        validation, scale = self._data.validation, self._beginning.activation_scale
        return {
            "first_loss": self._beginning.first_loss,
            **({} if scale is None else {UNTRAINED_SCALE: scale}),
            "classes": self._data.outputs if self._data.problem is Problem.CLASSIFICATION else 0,
            "training_examples": len(self._data.train),
            **({} if validation is None else {"validation_examples": len(validation)}),
            "epochs_trained": self._last.step,
            **self._data.facts,
        }

    def _train(self, step: int, heed: Heed) -> Tensor:
        """Take a step for each batch; return the sum of their losses, on the device."""
        examples, stepper = self._data.train, self._stepper
        self._network.train()
        _set_learning_rate(self._optimizer, self._plan.rule.learning_rate * self._plan.schedule.share(step))
        order = torch.randperm(len(examples), generator=self._randomness.order).to(examples.y_N.device)
        losses = []
        for number, rows_M in enumerate(self._plan.batches(order)):
            x, y_M = examples.batch(rows_M)
            stepper.clear()
            loss = self._loss(self._forward(self._plan.augmentation.changed(x, self._randomness.augmentation)), y_M)
            loss.backward()  # type: ignore[no-untyped-call]
            self._gradients.look(step=step, batch=number)
            stepper.step()
            losses.append(loss.detach())
            heed()
        return torch.stack(losses).double().sum()


def _set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
