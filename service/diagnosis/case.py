"""What the doctor is shown of a study, and of the trial that it looks at."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from trimtab.data import BUILT_IN, DatasetFacts
from trimtab.message import Params, Value
from trimtab.spec import StudySpec
from trimtab.states import Outcome
from trimtab.tasks import checks
from trimtab.tasks.knobs import Hyperparameter, Task

FEWEST_CLASSES = 2

Curve = Sequence[Mapping[str, float]]
"""What a trial measured, step by step; figures that are not finite are left out."""


@dataclass(frozen=True)
class Rate:
    """The learning rate of a trial that has ended, and what it came to.

    Args:
        value: The learning rate.
        loss: The objective, less is better; infinite: it diverged.
        left: Share of its first loss that training has left of it; infinite likewise; None: that is not known.
    """

    value: float
    loss: float
    left: float | None = None

    @classmethod
    def of(cls, value: float, loss: float, metrics: Mapping[str, float]) -> Self:
        """Return the rate of a trial with such final figures."""
        first, last = metrics.get("first_loss", 0.0), metrics.get("training_loss")
        left = loss if math.isinf(loss) else last / first if last is not None and first > 0 else None
        return cls(value, loss, left)


@dataclass(frozen=True)
class Case:
    """A trial, in its study.

    Args:
        spec: Of the study, as it is now.
        trial: The number of the trial; None: none is complete.
        params: Of the trial.
        metrics: Its final figures, as far as they are finite.
        curve: Its curve; empty where it was not trained to its end, or is several trainings (folds, repeats).
        others: Curves of other good trials, likewise.
        rates: Of all trials that are complete or diverged, where learning rates are searched.
        outcomes: How many trials ended how.
        datasets: What is known of data sets, by name.
        before: The specs of the studies that the study follows, the nearest first.
    """

    spec: StudySpec
    trial: int | None = None
    params: Params = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: Curve = ()
    others: Sequence[Curve] = ()
    rates: Sequence[Rate] = ()
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    datasets: Mapping[str, DatasetFacts] = field(default_factory=lambda: BUILT_IN)
    before: Sequence[StudySpec] = ()

    @cached_property
    def task(self) -> Task | None:
        """What its task has; None: anybody asks and tells."""
        return checks.known(self.spec.task.name) if self.spec.task else None

    @property
    def knobs(self) -> Mapping[str, Hyperparameter]:
        """The hyperparameters of its task."""
        return self.task.hyperparameters if self.task else {}

    @cached_property
    def settled(self) -> Mapping[str, Value]:
        """Every hyperparameter of the trial: as it was drawn, else as it is held fixed, else the task's default."""
        fixed = self.spec.task.fixed if self.spec.task else {}
        return {name: knob.default for name, knob in self.knobs.items()} | dict(fixed) | dict(self.params)

    @property
    def classes(self) -> int | None:
        """How many there are; 0: the target is a number; None: that is not known, or what was told cannot be."""
        told = self.metrics.get("classes")
        if told is not None:
            return int(told) if told == 0 or (told >= FEWEST_CLASSES and told == int(told)) else None
        known = self.datasets.get(self.spec.task.data.dataset) if self.spec.task else None
        return known.classes if known else None

    @property
    def has_images(self) -> bool:
        """Whether its examples are known to be images."""
        if self.task is None or self.spec.task is None:
            return False
        known = self.datasets.get(self.spec.task.data.dataset)
        return self.task.needs_images or (known is not None and known.image is not None)
