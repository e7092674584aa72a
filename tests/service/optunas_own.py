"""Optuna's own samplers, on our view of the history, parameter by parameter as optuna.Trial asks them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from service.storage.dimensions import Dimension, Point, dimensions, params
from trimtab.spec import StudySpec
from trimtab.states import Outcome

Make = Callable[[int], BaseSampler]
"""Makes Optuna's sampler for one trial, of its seed."""


@dataclass
class Known:
    """A trial as we told it.

    Args:
        values: Of the objectives; None where it came to none.
        excesses: Of its constraints.
        curve: Of a pruned trial.
    """

    number: int
    point: Point
    outcome: Outcome
    values: Sequence[float] | None = None
    excesses: Mapping[str, float] = field(default_factory=dict)
    curve: Mapping[int, float] = field(default_factory=dict)


class _Storage(optuna.storages.InMemoryStorage):
    """Serves trials that keep their own numbers, and keeps what samplers note of them."""

    served: list[FrozenTrial]
    noted: dict[int, dict[str, Any]]

    def get_all_trials(self, study_id: int, deepcopy: bool = True, states: object = None) -> list[FrozenTrial]:
        wanted = states if states is not None else list(TrialState)
        return [trial for trial in self.served if trial.state in wanted]  # type: ignore[operator]

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        self.noted.setdefault(trial_id, {})[key] = value


class _Study(optuna.Study):
    """Optuna prunes no trial of several objectives; ours are pruned by the first one."""

    @property
    def direction(self) -> optuna.study.StudyDirection:
        return self.directions[0]


class OwnStudy:
    """A study as Optuna's own sampler sees it: our view of the history, and its own notes."""

    def __init__(self, spec: StudySpec) -> None:
        self._spec = spec
        self._space = spec.searched
        self._dimensions = dimensions(self._space)
        self._storage = _Storage()
        self._storage.noted = {}
        directions = [optuna.study.StudyDirection[objective.direction.name] for objective in spec.objectives]
        self._study = optuna.create_study(storage=self._storage, directions=directions)
        self._study.__class__ = _Study

    def point(self, sampler: BaseSampler, known: Sequence[Known], *, number: int) -> Point:
        """Return the point of trial `number`."""
        self._storage.served = self._view(known)
        self._study._thread_local.cached_all_trials = None  # as optuna.Study does for each trial
        trial = self._frozen(number, {}, state=TrialState.RUNNING)
        space = sampler.infer_relative_search_space(self._study, trial)
        relative = sampler.sample_relative(self._study, trial, space)
        point: dict[str, float] = {}
        for dimension in self._dimensions:
            if self._space.is_active(dimension.name, params(self._dimensions, point)):
                point[dimension.stored_name] = self._value(sampler, trial, dimension, relative)
        return point

    def value(self, sampler: BaseSampler, known: Sequence[Known], dimension: Dimension, *, number: int) -> float:
        """Return the value of one parameter of trial `number`, as it is stored; a lost trial is one that runs."""
        self._storage.served = self._view(known)
        self._study._thread_local.cached_all_trials = None
        return self._value(sampler, self._frozen(number, {}, state=TrialState.RUNNING), dimension, {})

    def _value(
        self, sampler: BaseSampler, trial: FrozenTrial, dimension: Dimension, relative: Mapping[str, Any]
    ) -> float:
        name, distribution = dimension.stored_name, dimension.distribution
        if distribution.single():
            return 0.0 if isinstance(distribution, CategoricalDistribution) else float(distribution.low)  # type: ignore[attr-defined]
        value = relative.get(name)
        if value is None:
            value = sampler.sample_independent(self._study, trial, name, distribution)
        return float(distribution.to_internal_repr(value))

    def _view(self, known: Sequence[Known]) -> list[FrozenTrial]:
        """Return the trials that a sampler can learn from: what diverged counts as the worst in everything."""
        complete = [trial.values for trial in known if trial.outcome is Outcome.COMPLETE and trial.values]
        picks = [max if objective.direction == "minimize" else min for objective in self._spec.objectives]
        worst = [pick(of) for pick, of in zip(picks, zip(*complete, strict=True), strict=True)] if complete else None
        metrics = [constraint.metric for constraint in self._spec.constraints]
        most = {
            name: max([0.0, *(trial.excesses[name] for trial in known if name in trial.excesses)]) for name in metrics
        }
        found = (self._seen(trial, worst, most) for trial in sorted(known, key=lambda trial: trial.number))
        return [trial for trial in found if trial]

    def _seen(self, trial: Known, worst: list[float] | None, most: Mapping[str, float]) -> FrozenTrial | None:
        if trial.outcome is Outcome.LOST:
            return self._frozen(trial.number, trial.point, state=TrialState.RUNNING)
        if trial.outcome is Outcome.PRUNED:
            curve = dict(trial.curve)
            frozen = self._frozen(trial.number, trial.point, state=TrialState.PRUNED, intermediate_values=curve)
            return _bound(frozen, trial.excesses)
        values = trial.values if trial.outcome is Outcome.COMPLETE else worst
        if values is None or trial.outcome not in {Outcome.COMPLETE, Outcome.DIVERGED}:
            return None
        frozen = self._frozen(trial.number, trial.point, state=TrialState.COMPLETE, values=list(values))
        return _bound(frozen, trial.excesses if trial.outcome is Outcome.COMPLETE else most)

    def _frozen(self, number: int, point: Point, **given: Any) -> FrozenTrial:
        distributions: dict[str, BaseDistribution] = {
            d.stored_name: d.distribution for d in self._dimensions if d.stored_name in point
        }
        values = {name: distributions[name].to_external_repr(point[name]) for name in distributions}
        trial = create_trial(params=values, distributions=distributions, **given)
        trial.number = trial._trial_id = number
        trial._system_attrs = dict(self._storage.noted.get(number, {}))
        return trial


def _bound(frozen: FrozenTrial, excesses: Mapping[str, float]) -> FrozenTrial:
    for metric, excess in excesses.items():
        frozen.set_constraint(metric, excess)
    return frozen
