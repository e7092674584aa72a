"""A replica's memory of finished trials: numbers only, read from the database once, never changed.

Nothing here is state: what is forgotten is read again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from service.storage.finished import Attributes, FinishedTrial
from trimtab.states import Outcome, TrialState

# N trials, P parameters of the space, M objectives, C constraints, F failed trials.
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

Parents = Mapping[int, Sequence[int]]
"""Generation of a genetic algorithm -> the numbers of the trials that it descends from."""

_CONSTRAINT = "constraints:"
_GENERATION = ":generation"
_PARENTS = ":parent:"


@dataclass(frozen=True)
class Observations:
    """The finished trials that a sampler learns from, in the order in which they ended. Frozen.

    Args:
        known: Trials of the study that had ended when this was made.
        names: Stored names of the P parameters.
        constraints: Metrics that are bound.
        numbers_N: Of the trials.
        points_NP: Stored values; NaN where a trial does not have the parameter.
        values_NM: Of the objectives; NaN where there is none.
        last_N: Of pruned trials, the last value by which they were stopped; NaN where there is none.
        steps_N: The last step; -1 where none was reported.
        excesses_NC: How far each metric that is bound is beyond its bound; NaN where it was not measured.
        generations_N: That a population sampler put the trial into; -1: none.
        is_pruned_N: Pruned; the others are complete, diverged or out of memory.
        is_diverged_N: Ended with something that is not finite.
        is_out_of_memory_N: Ended for want of memory.
        failed_FP: Stored values of the trials that failed otherwise: they teach nothing but where not to go again.
        parents: As the first trial of each generation found them.
    """

    known: int
    names: tuple[str, ...]
    constraints: tuple[str, ...]
    numbers_N: Ints
    points_NP: Floats
    values_NM: Floats
    last_N: Floats
    steps_N: Ints
    excesses_NC: Floats
    generations_N: Ints
    is_pruned_N: Bools
    is_diverged_N: Bools
    is_out_of_memory_N: Bools
    failed_FP: Floats
    parents: Parents = field(default_factory=dict)

    @classmethod
    def empty(cls, names: Sequence[str], *, objectives: int = 1, constraints: Sequence[str] = ()) -> Self:
        """Return the observations of a study in which no trial has ended."""
        return cls(
            known=0,
            names=tuple(names),
            constraints=tuple(constraints),
            numbers_N=np.empty(0, np.int64),
            points_NP=np.empty((0, len(names))),
            values_NM=np.empty((0, objectives)),
            last_N=np.empty(0),
            steps_N=np.empty(0, np.int64),
            excesses_NC=np.empty((0, len(constraints))),
            generations_N=np.empty(0, np.int64),
            is_pruned_N=np.empty(0, np.bool_),
            is_diverged_N=np.empty(0, np.bool_),
            is_out_of_memory_N=np.empty(0, np.bool_),
            failed_FP=np.empty((0, len(names))),
        )

    def extended(self, trials: Sequence[FinishedTrial]) -> Self:
        """Return these observations with those of `trials`, which ended after them."""
        if not trials:
            return self
        useful = [trial for trial in trials if _is_useful(trial)]
        failed = [trial for trial in trials if not _is_useful(trial)]
        added: dict[str, Sequence[object]] = {
            "numbers_N": [trial.number for trial in useful],
            "points_NP": [self._row(trial.point) for trial in useful],
            "values_NM": [self._values(trial.values) for trial in useful],
            "last_N": [_last(trial) for trial in useful],
            "steps_N": [-1 if trial.step is None else trial.step for trial in useful],
            "excesses_NC": [self._excesses(trial.attributes) for trial in useful],
            "generations_N": [_generation(trial.attributes) for trial in useful],
            "is_pruned_N": [trial.state is TrialState.PRUNED for trial in useful],
            "is_diverged_N": [trial.outcome is Outcome.DIVERGED for trial in useful],
            "is_out_of_memory_N": [trial.outcome is Outcome.OUT_OF_MEMORY for trial in useful],
            "failed_FP": [self._row(trial.point) for trial in failed],
        }
        arrays: dict[str, Any] = {name: _appended(getattr(self, name), rows) for name, rows in added.items()}
        parents = with_parents(self.parents, (trial.attributes for trial in sorted(trials, key=_number)))
        return replace(self, known=trials[-1].order, parents=parents, **arrays)

    def with_name(self, name: str) -> Self:
        """Return the observations with a column for a parameter, which no trial has if it is not there."""
        if name in self.names:
            return self
        points_NP, failed_FP = (
            np.pad(rows, ((0, 0), (0, 1)), constant_values=np.nan) for rows in (self.points_NP, self.failed_FP)
        )
        return replace(self, names=(*self.names, name), points_NP=points_NP, failed_FP=failed_FP)

    def chosen(self, is_kept_N: Bools) -> Self:
        """Return the observations of some of these trials."""
        arrays: dict[str, Any] = {
            each.name: getattr(self, each.name)[is_kept_N]
            for each in fields(self)
            if each.name.endswith(("_N", "_NP", "_NM", "_NC"))
        }
        return replace(self, **arrays)

    def rows(self, points: Iterable[Mapping[str, float]]) -> Floats:
        """Return points as rows; NaN where a point does not have the parameter."""
        rows = [self._row(point) for point in points]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.names))

    def _row(self, point: Mapping[str, float]) -> list[float]:
        return [point.get(name, np.nan) for name in self.names]

    def _values(self, values: Sequence[float]) -> list[float]:
        objectives = self.values_NM.shape[1]
        return list(values) if len(values) == objectives else [np.nan] * objectives

    def _excesses(self, attributes: Attributes) -> list[float]:
        return [float(attributes.get(f"{_CONSTRAINT}{metric}", np.nan)) for metric in self.constraints]


def with_parents(parents: Parents, attributes: Iterable[Attributes]) -> Parents:
    """Return `parents` with those that were left with trials; whoever was first had it right."""
    found = dict(parents)
    for each in attributes:
        for key, numbers in each.items():
            if _PARENTS in key:
                found.setdefault(int(key.rpartition(":")[2]), tuple(numbers))
    return found


def _appended(array: npt.NDArray[np.generic], rows: Sequence[object]) -> npt.NDArray[np.generic]:
    added = np.array(rows, dtype=array.dtype).reshape(len(rows), *array.shape[1:])
    return np.concatenate([array, added])


def _number(trial: FinishedTrial) -> int:
    return trial.number


def _is_useful(trial: FinishedTrial) -> bool:
    return trial.state is not TrialState.FAIL or trial.outcome in {Outcome.DIVERGED, Outcome.OUT_OF_MEMORY}


def _last(trial: FinishedTrial) -> float:
    """Return the last value of a pruned trial: of one objective its value, which tell may have given."""
    if trial.state is not TrialState.PRUNED:
        return np.nan
    if trial.values:
        return trial.values[0]
    return np.nan if trial.last is None else trial.last


def _generation(attributes: Attributes) -> int:
    return next((int(value) for key, value in attributes.items() if key.endswith(_GENERATION)), -1)
