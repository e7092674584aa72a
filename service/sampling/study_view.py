"""Our view of the history, as Optuna's samplers ask for it: trials, and the little of a study and a storage."""

from collections.abc import Container, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from service.history import Bools
from service.sampling.view import OpenPoint, View
from service.storage.dimensions import Dimension
from trimtab.states import Direction

_KEPT = (":generation", ":parent:")
"""What is kept of that which samplers note: the rest only tells running trials' points, which the view has."""


class StudyView:
    """As much of optuna.Study as its samplers ask for.

    Args:
        view: Of the history.
        rows_N: The finished trials that the sampler needs, of those that one can learn from; None: all of them.
        parents_key: What the sampler calls the parents of a generation, but for its number.
    """

    def __init__(self, view: View, rows_N: Bools | None = None, *, parents_key: str = "") -> None:
        self.view = view
        self._rows_N = view.is_usable_N if rows_N is None else view.is_usable_N & rows_N
        self._parents_key = parents_key
        self.directions = [
            StudyDirection.MINIMIZE if direction is Direction.MINIMIZE else StudyDirection.MAXIMIZE
            for direction in view.directions
        ]
        # Of several objectives Optuna has none; ours is the one by which trials are stopped.
        self.direction = self.directions[view.stopping]
        self._study_id = 0
        self._storage = self._notes()

    @property
    def noted(self) -> Mapping[str, Any]:
        """What the sampler noted of this trial, or of the study, and is to be kept with the trial."""
        return self._storage.noted

    def add(self, point: OpenPoint) -> None:
        """Let one more trial run, and begin a clean sheet of notes."""
        self.view = self.view.with_open([point])
        self._trials.append(self._running(point))
        self._storage = self._notes()

    @cached_property
    def _trials(self) -> list[FrozenTrial]:
        trials = [self._complete_or_pruned(int(row)) for row in np.flatnonzero(self._rows_N)]
        trials += [self._running(point) for point in self.view.unfinished]
        return sorted(trials, key=lambda trial: trial.number)

    @cached_property
    def _dimensions(self) -> list[Dimension | None]:
        by_name = {dimension.stored_name: dimension for dimension in self.view.dimensions}
        return [by_name.get(name) for name in self.view.observations.names]

    def _notes(self) -> "_Notes":
        if not self._parents_key:
            return _Notes({})
        return _Notes({f"{self._parents_key}{generation}": list(of) for generation, of in self.view.parents.items()})

    def _is_multi_objective(self) -> bool:
        return len(self.directions) > 1

    def _get_trials(
        self, deepcopy: bool = False, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        return [trial for trial in self._trials if states is None or trial.state in states]

    def _complete_or_pruned(self, row: int) -> FrozenTrial:
        view, seen = self.view, self.view.observations
        is_pruned = bool(seen.is_pruned_N[row])
        excesses = zip(view.constraints, view.excesses_NC[row].tolist(), strict=True)
        attributes: dict[str, Any] = {f"constraints:{name}": value for name, value in excesses if not np.isnan(value)}
        if (generation := int(seen.generations_N[row])) >= 0:
            attributes |= dict.fromkeys(_GENERATION_KEYS, generation)
        step = int(seen.steps_N[row])
        return self._frozen(
            int(seen.numbers_N[row]),
            seen.points_NP[row].tolist(),
            state=TrialState.PRUNED if is_pruned else TrialState.COMPLETE,
            values=None if is_pruned else (view.losses_NM[row] * view.signs_M).tolist(),
            curve={step: float(seen.last_N[row])} if is_pruned and step >= 0 else {},
            attributes=attributes,
        )

    def _running(self, point: OpenPoint) -> FrozenTrial:
        row = [point.point.get(name, np.nan) for name in self.view.observations.names]
        return self._frozen(point.number, row, state=TrialState.RUNNING)

    def _frozen(
        self,
        number: int,
        row: Sequence[float],
        *,
        state: TrialState,
        values: list[float] | None = None,
        curve: dict[int, float] | None = None,
        attributes: dict[str, Any] | None = None,
    ) -> FrozenTrial:
        drawn: list[tuple[Dimension, float]] = [
            (dimension, stored)
            for dimension, stored in zip(self._dimensions, row, strict=True)
            if dimension is not None and not np.isnan(stored)
        ]
        return frozen(
            number,
            {d.stored_name: d.distribution.to_external_repr(stored) for d, stored in drawn},
            {d.stored_name: d.distribution for d, _ in drawn},
            state=state,
            values=values,
            curve=curve,
            attributes=attributes,
        )


class _Notes:
    """As much of optuna's storage as its samplers ask for: a sheet of paper."""

    def __init__(self, study_attributes: dict[str, Any]) -> None:
        self.noted: dict[str, Any] = {}
        self._study_attributes = study_attributes

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        """Return what was noted of the study, before and now."""
        return self._study_attributes

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        """Note something of the study. It is kept with the trial, in whose transaction it is written."""
        self._study_attributes[key] = value
        self._keep(key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Note something of the trial that is being sampled."""
        self._keep(key, value)

    def _keep(self, key: str, value: Any) -> None:
        if any(part in key for part in _KEPT):
            self.noted[key] = value


_GENERATION_KEYS = ("cma:generation", "NSGAIISampler:generation", "NSGAIIISampler:generation")
"""Each sampler looks for its own; a study has one sampler."""


def frozen(
    number: int,
    params: dict[str, Any],
    distributions: dict[str, BaseDistribution],
    *,
    state: TrialState,
    values: list[float] | None = None,
    curve: dict[int, float] | None = None,
    attributes: dict[str, Any] | None = None,
) -> FrozenTrial:
    """Return a trial as Optuna's samplers know it."""
    return FrozenTrial(
        number=number,
        state=state,
        value=None,
        values=values,
        datetime_start=None,
        datetime_complete=None,
        params=params,
        distributions=distributions,
        user_attrs={},
        system_attrs=attributes or {},
        intermediate_values=curve or {},
        trial_id=number,
    )
