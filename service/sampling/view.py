"""What a sampler sees of a study: its finished trials as arrays, and those that are open."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from service.history import Bools, Floats, Ints, Observations
from service.storage.dimensions import Dimension, Point
from trimtab.states import Direction


@dataclass(frozen=True)
class OpenPoint:
    """A trial that runs or waits for its next attempt, or a point that was suggested a moment ago."""

    number: int
    point: Point


@dataclass(frozen=True)
class View:
    """Our view of the history.

    A diverged trial counts as complete with the worst value so far, and not at all while there is none;
    a trial that failed otherwise is left out; a trial that waits for its next attempt counts as running.

    Args:
        dimensions: The P parameters of the space.
        direction: Which values are better.
        observations: Trials that have ended.
        unfinished: Trials that have not.
    """

    dimensions: Sequence[Dimension]
    direction: Direction
    observations: Observations
    unfinished: Sequence[OpenPoint]

    @cached_property
    def losses_N(self) -> Floats:
        """Values turned so that less is better; the worst one for diverged trials; NaN where there is none."""
        seen = self.observations
        losses_N = seen.values_N if self.direction is Direction.MINIMIZE else -seen.values_N
        complete_N = losses_N[~seen.is_pruned_N & ~seen.is_diverged_N]
        worst = complete_N.max() if complete_N.size else np.nan
        return np.where(seen.is_diverged_N, worst, losses_N)

    @cached_property
    def is_usable_N(self) -> Bools:
        """Whether a sampler can learn from the trial: all but diverged ones without a worst value."""
        return self.observations.is_pruned_N | ~np.isnan(self.losses_N)

    @cached_property
    def finished(self) -> int:
        """How many trials a sampler can learn from."""
        return int(self.is_usable_N.sum())

    @cached_property
    def best_first(self) -> Ints:
        """Rows of the usable trials, best first: complete ones by value, then pruned ones by how far they came.

        Ties go to the lower number.
        """
        seen, losses_N = self.observations, self.losses_N
        pruned_N = seen.is_pruned_N
        key_N = np.where(pruned_N & np.isnan(losses_N), np.where(seen.steps_N < 0, 0.0, np.inf), losses_N)
        # A pruned trial without any report comes after all others: Optuna ranks it (1, 0), others (-step, loss).
        progress_N = np.where(pruned_N, np.where(seen.steps_N < 0, 1, -seen.steps_N), np.iinfo(np.int64).min)
        order = np.lexsort((seen.numbers_N, key_N, progress_N))
        return order[self.is_usable_N[order]]

    @cached_property
    def unfinished_points_MP(self) -> Floats:
        """Stored values of the M unfinished trials; NaN where a trial does not have the parameter."""
        names = self.observations.names
        rows = [[trial.point.get(name, np.nan) for name in names] for trial in self.unfinished]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
