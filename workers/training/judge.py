"""What a network is measured by after each epoch: its errors and losses, what is active in it, what became zero."""

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from trimtab.models.parts import weight_matrices
from workers.training.data import Data, Examples
from workers.training.evaluation import Evaluation, evaluate
from workers.training.losses import Loss
from workers.training.standard_errors import standard_error
from workers.training.watch import GLANCE, Activity, watched

SAMPLE = 20_000
"""Training examples that the training error is measured on, at most: its standard error is below 0.004 then."""

UNTRAINED_SCALE = "untrained_activation_scale"

_WITH_LOSSES = ("training", "validation")

_SEED = 0  # of the sample: the same for all trials


class Judge:
    """Measures a network in evaluation mode: nothing dropped, nothing augmented, no regularisation in the loss.

    Args:
        network: On the data's device.
        data: What it is measured on; of a large training set a fixed sample.
        loss: What is minimised.
    """

    def __init__(self, network: nn.Module, data: Data, loss: Loss) -> None:
        sets = {"training": sampled(data.train), "validation": data.validation, "train_dev": data.train_dev}
        self._network = network
        self._sets = {name: examples for name, examples in sets.items() if examples is not None}
        self._loss = loss
        self._problem = data.problem
        self._evaluations: dict[str, Evaluation] = {}
        self._activity: Activity | None = None

    def glance(self) -> dict[str, Tensor]:
        """Return the loss of an untrained network on some training examples, and the scale of its last hidden layer.

        Scalars on the device by name; without hidden layers there is no scale.
        """
        self._network.eval()
        every = math.ceil(len(self._sets["training"]) / GLANCE)
        examples = self._sets["training"]
        few = replace(examples, x_ND=examples.x_ND[::every], y_N=examples.y_N[::every])
        with watched(self._network, examples=len(few)) as activity:
            loss = evaluate(self._network, few, self._loss, self._problem).loss
        scale = activity.last_scale()
        return {"first_loss": loss} | ({} if scale is None else {UNTRAINED_SCALE: scale})

    def measure(self, *, is_watched: bool = False) -> dict[str, Tensor]:
        """Return errors and losses by name, and what there is to be seen of hidden layers: scalars on the device.

        Args:
            is_watched: Whether hidden layers are looked at.
        """
        self._network.eval()
        look = watched(self._network, examples=len(self._sets["training"])) if is_watched else nullcontext()
        with look as self._activity:
            self._evaluations = {"training": self._evaluated("training")}
        self._evaluations |= {name: self._evaluated(name) for name in self._sets if name != "training"}
        errors = {f"{name}_error": evaluation.error for name, evaluation in self._evaluations.items()}
        losses = {f"{name}_loss": self._evaluations[name].loss for name in _WITH_LOSSES if name in self._evaluations}
        return errors | losses | (self._activity.scalars() if self._activity else {})

    def figures(self, read: Mapping[str, float]) -> dict[str, float]:
        """Return errors, losses and what hidden layers do, if that was watched, of what `measure` returned, read."""
        measured = {name: figure for name, figure in read.items() if name.startswith(tuple(self._sets))}
        return measured | (self._activity.figures(read) if self._activity else {})

    def standard_errors(self) -> dict[str, float]:
        """Return how far the errors that were measured last may be off, by name."""
        return {f"{name}_error_standard_error": standard_error(each) for name, each in self._evaluations.items()}

    def _evaluated(self, name: str) -> Evaluation:
        return evaluate(self._network, self._sets[name], self._loss, self._problem)


def sampled(examples: Examples) -> Examples:
    """Return the examples, or a fixed sample of them where they are many."""
    if len(examples) <= SAMPLE:
        return examples
    rows = torch.randperm(len(examples), generator=torch.Generator().manual_seed(_SEED))[:SAMPLE]
    rows = rows.to(examples.y_N.device)
    return replace(examples, x_ND=examples.x_ND[rows], y_N=examples.y_N[rows])


def zero_share(network: nn.Module) -> Tensor:
    """Return the share of the weights that are exactly zero, a scalar on the device; 0 where there are none."""
    weights = list(weight_matrices(network).values())
    none = torch.zeros((), dtype=torch.float64, device=next(network.parameters()).device)
    zeros = sum(((weight == 0).sum() for weight in weights), start=none)
    return zeros / max(1, sum(weight.numel() for weight in weights))


def read(figures: Mapping[str, Tensor]) -> dict[str, float]:
    """Return scalars of the device, one of which is float64, as numbers. The one wait of an epoch is here."""
    values = torch.stack(list(figures.values())).tolist()
    return dict(zip(figures, values, strict=True))
