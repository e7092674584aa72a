"""The trials of a study as Optuna's pictures ask for them: in our names, on our scales, from memory."""

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from service.history import Ints
from service.sampling.study_view import frozen
from service.web.figures.axes import Axis, looked_at
from service.web.figures.subject import Subject
from trimtab.objectives import Objective
from trimtab.states import Direction


class ShownStudy(Study):
    """As much of a study as Optuna's pictures ask for: trials, directions and the names of objectives."""

    def __init__(self, trials: Sequence[FrozenTrial], objectives: Sequence[Objective]) -> None:
        self._trials = list(trials)
        self._objectives = objectives

    @property
    def directions(self) -> list[StudyDirection]:
        """Which values are better."""
        minimize, maximize = StudyDirection.MINIMIZE, StudyDirection.MAXIMIZE
        return [minimize if each.direction is Direction.MINIMIZE else maximize for each in self._objectives]

    @property
    def metric_names(self) -> list[str]:
        """What is optimised."""
        return [objective.metric for objective in self._objectives]

    def get_trials(self, deepcopy: bool = True, states: Container[TrialState] | None = None) -> list[FrozenTrial]:
        """Return the trials, all of them complete."""
        return self._trials


def shown(subject: Subject, rows_N: Ints, axes: Sequence[Axis], objectives: Sequence[int]) -> ShownStudy:
    """Return some trials of a study, with some of its parameters and objectives."""
    columns = {axis.name: subject.column(axis.dimension)[rows_N] for axis in axes}
    numbers = subject.view.observations.numbers_N[rows_N].tolist()
    values = subject.view.observations.values_NM[rows_N][:, list(objectives)].tolist()
    violations = subject.view.violations_N[rows_N].tolist()
    trials = [
        frozen(
            number,
            params := _params(axes, {name: float(column[place]) for name, column in columns.items()}),
            {axis.name: axis.distribution for axis in axes if axis.name in params},
            state=TrialState.COMPLETE,
            values=[looked_at(value) for value in of_trial],
            attributes={"constraints:violation": violation} if subject.view.constraints else {},
        )
        for place, (number, of_trial, violation) in enumerate(zip(numbers, values, violations, strict=True))
    ]
    return ShownStudy(trials, [subject.objectives[objective] for objective in objectives])


def _params(axes: Sequence[Axis], stored: Mapping[str, float]) -> dict[str, Any]:
    return {axis.name: axis.drawn(stored[axis.name]) for axis in axes if not np.isnan(stored[axis.name])}
