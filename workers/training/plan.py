"""How a network is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import torch
from torch import Tensor

from workers.training.augmentation import Augmentation
from workers.training.early_stopping import Patience
from workers.training.optimizer import UpdateRule
from workers.training.schedule import Schedule


@dataclass(frozen=True)
class Plan:
    """How a network is trained.

    Args:
        batch_size: Examples in a step; the last batch of an epoch has what is left.
        rule: How weights are updated.
        schedule: How the learning rate falls, and for how many epochs.
        patience: How long it is waited for a better epoch.
        augmentation: How training examples are changed.
        precision: auto, float32 or mixed.
        leaves_none_alone: Whether an example that is left alone joins the batch before it: torch's own batch
            normalisation fails on one.
    """

    batch_size: int
    rule: UpdateRule
    schedule: Schedule
    patience: Patience
    augmentation: Augmentation
    precision: str = "auto"
    leaves_none_alone: bool = False

    def batches(self, order_N: Tensor) -> Sequence[Tensor]:
        """Return the rows of each step of an epoch, of all rows in their order."""
        batches = torch.split(order_N, self.batch_size)
        if self.leaves_none_alone and len(batches) > 1 and len(batches[-1]) == 1 < self.batch_size:
            return [*batches[:-2], torch.cat(batches[-2:])]
        return batches

    @classmethod
    def of(cls, params: Mapping[str, Any], *, leaves_none_alone: bool = False) -> Self:
        """Return the plan that hyperparameters, all of them, describe."""
        rule = UpdateRule(
            name=params["optimizer"],
            **{field.name: params[field.name] for field in fields(UpdateRule) if field.name != "name"},
        )
        schedule = Schedule(params["decay"], rate=params["decay_rate"], epochs=params["epochs"])
        patience = Patience(params["patience"], params["min_improvement"])
        return cls(
            params["batch_size"],
            rule,
            schedule,
            patience,
            Augmentation.of(params),
            params["precision"],
            leaves_none_alone,
        )
