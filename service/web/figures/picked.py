"""What of a study a picture of its trials shows: one objective, and the parameters that matter most first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from service.history import Ints
from service.web.figures.axes import Axis
from service.web.figures.drawn import Choice
from service.web.figures.subject import Subject


@dataclass(frozen=True)
class Picked:
    """What is drawn.

    Args:
        subject: The study.
        objective: By its place.
        axes: Of the parameters that complete trials have.
        best_first: Rows of the complete trials.
        is_ranked: It is known which parameters mattered most: they come first. Else they are in the order of the space.
    """

    subject: Subject
    objective: int
    axes: Sequence[Axis]
    best_first: Ints
    is_ranked: bool

    @property
    def metric(self) -> str:
        """What the objective is called."""
        return self.subject.objectives[self.objective].metric

    def violating(self, looks: str) -> str:
        """Return how the trials that violate constraints look, where there are some."""
        some = (self.subject.view.violations_N[self.best_first] > 0).any()
        return f" {looks} ones violate a constraint." if some else ""

    @property
    def choices(self) -> list[Choice]:
        """The objectives, where there are several."""
        metrics = [objective.metric for objective in self.subject.objectives]
        return [Choice("metric", "Objective", metrics, self.metric)] if len(metrics) > 1 else []


def pick(subject: Subject, metric: str | None, shares: Mapping[str, float]) -> Picked:
    """Return what is drawn.

    Args:
        subject: The study.
        metric: Of the objective; None: the first.
        shares: How much parameters mattered, as far as it is known.

    Raises:
        Invalid: The study has no such objective.
    """
    objective = subject.objective(metric)
    best_first = subject.best_first(objective)
    every = [Axis(dimension) for dimension in subject.view.dimensions]
    present = [axis for axis in every if not np.isnan(subject.column(axis.dimension)[best_first]).all()]
    # Sorting keeps the order of the space where nothing is known.
    axes = sorted(present, key=lambda axis: -shares.get(axis.name, 0.0))
    return Picked(subject, objective, axes, best_first, is_ranked=bool(shares))
