"""A replica's memory of finished trials: numbers only, read from the database once, never changed.

Nothing here is state: what is forgotten is read again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from service.storage.finished import FinishedTrial
from trimtab.states import Outcome, TrialState

# N trials, P parameters of the space.
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Observations:
    """The finished trials that a sampler learns from, in the order in which they ended. Frozen.

    Args:
        known: Trials of the study that had ended when this was made.
        names: Stored names of the P parameters.
        numbers_N: Of the trials.
        points_NP: Stored values; NaN where a trial does not have the parameter.
        values_N: Of the objective; NaN where there is none.
        steps_N: The last step; -1 where none was reported.
        is_pruned_N: Pruned; the others are complete or diverged.
        is_diverged_N: Ended with something that is not finite.
    """

    known: int
    names: tuple[str, ...]
    numbers_N: Ints
    points_NP: Floats
    values_N: Floats
    steps_N: Ints
    is_pruned_N: Bools
    is_diverged_N: Bools

    @classmethod
    def empty(cls, names: Sequence[str]) -> Self:
        """Return the observations of a study in which no trial has ended."""
        return cls(
            known=0,
            names=tuple(names),
            numbers_N=np.empty(0, np.int64),
            points_NP=np.empty((0, len(names))),
            values_N=np.empty(0),
            steps_N=np.empty(0, np.int64),
            is_pruned_N=np.empty(0, np.bool_),
            is_diverged_N=np.empty(0, np.bool_),
        )

    def extended(self, trials: Sequence[FinishedTrial]) -> Self:
        """Return these observations with those of `trials`, which ended after them."""
        if not trials:
            return self
        useful = [trial for trial in trials if _is_useful(trial)]
        return type(self)(
            known=trials[-1].order,
            names=self.names,
            numbers_N=np.append(self.numbers_N, [trial.number for trial in useful]).astype(np.int64),
            points_NP=np.concatenate([self.points_NP, self._rows(trial.point for trial in useful)]),
            values_N=np.append(self.values_N, [_or_nan(trial.value) for trial in useful]),
            steps_N=np.append(self.steps_N, [_step(trial) for trial in useful]).astype(np.int64),
            is_pruned_N=np.append(self.is_pruned_N, [trial.state is TrialState.PRUNED for trial in useful]).astype(
                bool
            ),
            is_diverged_N=np.append(self.is_diverged_N, [trial.outcome is Outcome.DIVERGED for trial in useful]).astype(
                bool
            ),
        )

    def _rows(self, points: Iterable[Mapping[str, float]]) -> Floats:
        rows = [[point.get(name, np.nan) for name in self.names] for point in points]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.names))


def _is_useful(trial: FinishedTrial) -> bool:
    return trial.state is not TrialState.FAIL or trial.outcome is Outcome.DIVERGED


def _step(trial: FinishedTrial) -> int:
    return -1 if trial.step is None else trial.step


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value
