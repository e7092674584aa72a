"""What Optuna's pruners ask of a study and of a trial, without either."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

import optuna
from optuna.pruners._successive_halving import _completed_rung_key
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from service.pruning.judgement import Rungs, Standing
from trimtab.states import Direction


# Not frozen: there may be ten thousand, made anew for each judgement.
@dataclass(slots=True)
class _Rival:
    system_attrs: Rungs


@dataclass(frozen=True)
class _Trial:
    system_attrs: Rungs
    number: int
    last_step: int
    intermediate_values: dict[int, float]
    _trial_id: int = 0


@dataclass(frozen=True)
class _Study:
    """A study, and the storage that what is written for a trial goes to."""

    study_name: str
    direction: StudyDirection
    trials: list[_Rival]
    written: dict[str, float]

    @property
    def _storage(self) -> "_Study":
        return self

    def set_trial_system_attr(self, _trial_id: int, key: str, value: float) -> None:
        self.written[key] = value

    def get_trials(self, *, deepcopy: bool) -> list[_Rival]:
        return self.trials


def trial(standing: Standing) -> FrozenTrial:
    """Return a trial as far as its last two reports and its rungs are looked at."""
    value = math.nan if standing.value is None else standing.value
    before = {standing.previous_step: math.nan} if standing.previous_step else {}
    rungs = {_completed_rung_key(rung): 0.0 for rung in range(standing.rungs)}
    found = _Trial(rungs, standing.number, standing.step, {**before, standing.step: value})
    return cast("FrozenTrial", found)


def study(
    name: str = "",
    *,
    direction: Direction = Direction.MINIMIZE,
    rungs: Iterable[Rungs] = (),
    written: dict[str, float] | None = None,
) -> optuna.Study:
    """Return a study.

    Args:
        name: Of the study.
        direction: Of its objective.
        rungs: Of the other trials.
        written: Where the attributes go that are written for the trial.
    """
    trials = [_Rival(of_one) for of_one in rungs]
    found = _Study(name, StudyDirection[direction.name], trials, {} if written is None else written)
    return cast("optuna.Study", found)
