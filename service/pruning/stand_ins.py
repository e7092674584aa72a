"""What Optuna's pruners ask of a study and of a trial, without either."""

import math
from dataclasses import dataclass
from typing import cast

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

from service.pruning.judgement import Standing


@dataclass(frozen=True)
class _Trial:
    number: int
    last_step: int
    intermediate_values: dict[int, float]


@dataclass(frozen=True)
class _Study:
    study_name: str
    direction: StudyDirection = StudyDirection.MINIMIZE


def trial(standing: Standing) -> FrozenTrial:
    """Return a trial as far as its last two reports are looked at."""
    value = math.nan if standing.value is None else standing.value
    before = {standing.previous_step: math.nan} if standing.previous_step else {}
    return cast("FrozenTrial", _Trial(standing.number, standing.step, {**before, standing.step: value}))


def study(name: str = "") -> optuna.Study:
    """Return a study of that name."""
    return cast("optuna.Study", _Study(name))
