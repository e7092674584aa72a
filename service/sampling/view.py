"""What a sampler sees of a study: its finished trials as arrays, and those that are open."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution

from service.history import Bools, Floats, Ints, Observations, Parents, with_parents
from service.storage.dimensions import Dimension, Point
from service.storage.finished import Attributes
from trimtab.spec import StudySpec
from trimtab.states import Direction

ROUNDING = 1e-6
"""Of a step: samplers that count in doubles come closer to it than that."""

OUT_OF_MEMORY = "out_of_memory"
"""The constraint that only trials without enough memory violate."""


_OF_UNFINISHED = {"unfinished", "parents", "unfinished_points_MP"}
"""What of a view changes with the trials that run."""


@dataclass(frozen=True)
class OpenPoint:
    """A trial that runs or waits for its next attempt, or a point that was suggested a moment ago."""

    number: int
    point: Point
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class View:
    """Our view of the history.

    A diverged trial counts as complete with the worst value so far, and not at all while there is none; so does one
    that ran out of memory, which violates a constraint besides; a trial that failed otherwise is left out; a trial
    that waits for its next attempt counts as running.

    Args:
        dimensions: The P parameters of the space.
        directions: Which values are better, for each of the M objectives.
        observations: Trials that have ended and lie inside the space.
        unfinished: Trials that have not.
        stopping: The objective by which trials are stopped, from 0.
    """

    dimensions: Sequence[Dimension]
    directions: Sequence[Direction]
    observations: Observations
    unfinished: Sequence[OpenPoint]
    stopping: int = 0

    @classmethod
    def of(
        cls,
        spec: StudySpec,
        dimensions: Sequence[Dimension],
        observations: Observations,
        unfinished: Sequence[OpenPoint] = (),
    ) -> Self:
        """Return the view of a study: trials outside its space, as it is now, are left out."""
        is_inside_N = _is_inside_N(dimensions, observations)
        return cls(
            dimensions=dimensions,
            directions=[objective.direction for objective in spec.objectives],
            observations=observations if is_inside_N.all() else observations.chosen(is_inside_N),
            unfinished=unfinished,
            stopping=spec.objectives.index(spec.stopping),
        )

    @classmethod
    def empty(cls, spec: StudySpec, dimensions: Sequence[Dimension]) -> Self:
        """Return the view of a study without trials."""
        names = [dimension.stored_name for dimension in dimensions]
        return cls.of(spec, dimensions, Observations.empty(names, objectives=len(spec.objectives)))

    def with_open(self, points: Sequence[OpenPoint]) -> Self:
        """Return this view with more trials that run."""
        more = replace(self, unfinished=[*self.unfinished, *points])
        # What was worked out of the finished trials stays as it is.
        kept = {name: value for name, value in self.__dict__.items() if name not in _OF_UNFINISHED}
        more.__dict__.update(kept)
        return more

    def with_name(self, name: str) -> Self:
        """Return this view with a parameter that no trial need have."""
        return replace(self, observations=self.observations.with_name(name))

    @cached_property
    def parents(self) -> Parents:
        """What each generation of a genetic algorithm descends from, as far as that is settled."""
        by_number = sorted(self.unfinished, key=lambda point: point.number)
        return with_parents(self.observations.parents, (point.attributes for point in by_number))

    @cached_property
    def signs_M(self) -> Floats:
        """What turns a value into a loss, of which less is better."""
        return np.array([direction.sign for direction in self.directions])

    @cached_property
    def lacks_value_N(self) -> Bools:
        """Whether a trial came to no value, and the worst one stands for it."""
        return self.observations.is_diverged_N | self.observations.is_out_of_memory_N

    @cached_property
    def losses_NM(self) -> Floats:
        """Values turned so that less is better; the worst one where there is none; NaN for pruned trials."""
        seen = self.observations
        losses_NM = seen.values_NM * self.signs_M
        complete_NM = losses_NM[~seen.is_pruned_N & ~self.lacks_value_N]
        worst_M = complete_NM.max(axis=0) if len(complete_NM) else np.full(len(self.directions), np.nan)
        losses_NM = np.where(self.lacks_value_N[:, None], worst_M, losses_NM)
        losses_NM[seen.is_pruned_N] = np.nan
        return losses_NM

    @cached_property
    def last_losses_N(self) -> Floats:
        """Of pruned trials, the last value by which they were stopped, turned so that less is better."""
        found: Floats = self.observations.last_N * self.signs_M[self.stopping]
        return found

    @cached_property
    def is_usable_N(self) -> Bools:
        """Whether a sampler can learn from the trial: all but those without a value while there is no worst one."""
        return self.observations.is_pruned_N | ~np.isnan(self.losses_NM).any(axis=1)

    @cached_property
    def is_complete_N(self) -> Bools:
        """Whether a sampler can learn from the trial, and it was not pruned."""
        return self.is_usable_N & ~self.observations.is_pruned_N

    @cached_property
    def finished(self) -> int:
        """How many trials a sampler can learn from."""
        return int(self.is_usable_N.sum())

    @cached_property
    def constraints(self) -> tuple[str, ...]:
        """What is bound: metrics and, where a trial ran out of memory, that."""
        runs_out = bool(self.observations.is_out_of_memory_N.any())
        return (*self.observations.constraints, OUT_OF_MEMORY) if runs_out else self.observations.constraints

    @cached_property
    def excesses_NC(self) -> Floats:
        """How far each constraint is violated; the most so far for trials that came to no value and measured none.

        NaN where a pruned trial did not measure it.
        """
        seen = self.observations
        excesses_NC = seen.excesses_NC
        if excesses_NC.size:
            known_NC = np.where(np.isnan(excesses_NC), -np.inf, excesses_NC)
            most_C = np.maximum(known_NC.max(axis=0), 0.0)
            excesses_NC = np.where(np.isnan(excesses_NC) & self.lacks_value_N[:, None], most_C, excesses_NC)
        if len(self.constraints) > len(seen.constraints):
            ran_out_N1 = np.where(seen.is_out_of_memory_N, 1.0, -1.0)[:, None]
            excesses_NC = np.hstack([excesses_NC, ran_out_N1])
        return excesses_NC

    @cached_property
    def violations_N(self) -> Floats:
        """By how much the constraints are violated in all; 0 where they are kept."""
        found: Floats = np.where(self.excesses_NC > 0, self.excesses_NC, 0.0).sum(axis=1)
        return found

    @cached_property
    def best_first(self) -> Ints:
        """Rows of the usable trials of one objective, best first.

        Complete ones by value, then pruned ones by how far they came and by their last value, then those that violate
        constraints, by how much. Ties go to the lower number.
        """
        seen, pruned_N, is_infeasible_N = self.observations, self.observations.is_pruned_N, self.violations_N > 0
        losses_N = np.where(pruned_N, self.last_losses_N, self.losses_NM[:, 0])
        key_N = np.where(pruned_N & np.isnan(losses_N), np.where(seen.steps_N < 0, 0.0, np.inf), losses_N)
        # A pruned trial without any report comes after all others: Optuna ranks it (1, 0), others (-step, loss).
        progress_N = np.where(pruned_N, np.where(seen.steps_N < 0, 1, -seen.steps_N), np.iinfo(np.int64).min)
        key_N = np.where(is_infeasible_N, self.violations_N, key_N)
        progress_N = np.where(is_infeasible_N, 2, progress_N)
        order = np.lexsort((seen.numbers_N, key_N, progress_N))
        return order[self.is_usable_N[order]]

    @cached_property
    def unfinished_points_MP(self) -> Floats:
        """Stored values of the M unfinished trials; NaN where a trial does not have the parameter."""
        return self.observations.rows(trial.point for trial in self.unfinished)

    def shared(self, rows_N: Bools) -> dict[str, BaseDistribution]:
        """Return the parameters that all of these trials have, sorted by name, but those of a single value."""
        if not rows_N.any():
            return {}
        is_missing_NP = np.isnan(self.observations.points_NP[rows_N])
        names = {
            name for name, column in zip(self.observations.names, is_missing_NP.T, strict=True) if not column.any()
        }
        found = {d.stored_name: d.distribution for d in self.dimensions if d.stored_name in names}
        return {name: found[name] for name in sorted(found) if not found[name].single()}


def _is_inside_N(dimensions: Sequence[Dimension], observations: Observations) -> Bools:
    """Return whether each trial could be drawn from the space as it is now."""
    is_inside_N = np.ones(len(observations.numbers_N), np.bool_)
    for dimension in dimensions:
        if dimension.stored_name in observations.names:
            column_N = observations.points_NP[:, observations.names.index(dimension.stored_name)]
            is_inside_N &= np.isnan(column_N) | _contains(dimension.distribution, column_N)
    return is_inside_N


def _contains(distribution: BaseDistribution, column_N: Floats) -> Bools:
    if isinstance(distribution, CategoricalDistribution):
        return (column_N >= 0) & (column_N < len(distribution.choices))
    low, high, step = (getattr(distribution, name) for name in ("low", "high", "step"))
    is_inside_N: Bools = (column_N >= low) & (column_N <= high)
    if step:
        steps_N = (column_N - low) / step
        is_inside_N = (steps_N >= -ROUNDING) & (column_N <= high + step * ROUNDING)
        is_inside_N &= np.abs(steps_N - np.round(steps_N)) < ROUNDING
    return is_inside_N
