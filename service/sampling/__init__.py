"""Chooses the next point of a space. The sampler is Optuna's, made anew for each trial, on our view of the history."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from service.sampling.tpe import ArrayTPESampler
from service.sampling.view import OpenPoint, View
from service.storage.dimensions import Dimension, Point, params
from trimtab import samplers
from trimtab import study as specs
from trimtab.states import Direction

__all__ = ["OpenPoint", "View", "random_point", "seed_of", "suggest", "training_seed"]


def suggest(spec: specs.StudySpec, view: View, *, number: int, salt: int | None = None) -> Point:
    """Return the point for trial `number`: the same for the same spec, view and number, in every replica.

    With `salt`, in [0, 2^32), another one, for an ask that comes at the same time as others.
    """
    return _point(_sampler(spec.sampler, view, seed_of(spec.sampler.seed, number, salt=salt)), spec, view, number)


def random_point(spec: specs.StudySpec, view: View, *, number: int, salt: int | None = None) -> Point:
    """Return a point for trial `number` that takes no account of others: what the sampler `random` would suggest."""
    return _point(RandomSampler(seed_of(spec.sampler.seed, number, salt=salt)), spec, view, number)


def seed_of(study_seed: int, number: int, *, salt: int | None = None) -> int:
    """Return the seed of trial `number`, in [0, 2^32): NumPy's SeedSequence of (study seed, number[, salt])."""
    entropy = (study_seed, number) if salt is None else (study_seed, number, salt)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


def training_seed(study_seed: int, number: int) -> int:
    """Return the seed that trial `number` is trained with, in [0, 2^32), unrelated to the sampler's."""
    return int(np.random.SeedSequence((study_seed, number), spawn_key=(1,)).generate_state(1)[0])


def _sampler(spec: samplers.Sampler, view: View, seed: int) -> BaseSampler:
    match spec:
        case samplers.RandomSampler():
            return RandomSampler(seed)
        case samplers.TpeSampler(startup_trials=startup_trials):
            return ArrayTPESampler(view, seed=seed, startup_trials=startup_trials)


def _point(sampler: BaseSampler, spec: specs.StudySpec, view: View, number: int) -> Point:
    study = cast("Study", _StudyView(view))
    trial = FrozenTrial(
        number=number,
        state=TrialState.RUNNING,
        value=None,
        datetime_start=None,
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
        trial_id=number,
    )
    relative = sampler.sample_relative(study, trial, sampler.infer_relative_search_space(study, trial))
    point: dict[str, float] = {}
    for dimension in view.dimensions:
        if spec.searched.is_active(dimension.name, params(view.dimensions, point)):
            value = _value(sampler, study, trial, dimension, relative)
            point[dimension.stored_name] = float(dimension.distribution.to_internal_repr(value))
    return point


def _value(
    sampler: BaseSampler, study: Study, trial: FrozenTrial, dimension: Dimension, relative: Mapping[str, Any]
) -> Any:
    """Return the value of one parameter, in the order of preference of optuna.Trial."""
    if dimension.distribution.single():
        return _only_value(dimension.distribution)
    if dimension.stored_name in relative:
        return relative[dimension.stored_name]
    return sampler.sample_independent(study, trial, dimension.stored_name, dimension.distribution)


def _only_value(distribution: BaseDistribution) -> Any:
    return distribution.to_external_repr(getattr(distribution, "low", 0))


class _StudyView:
    """As much of optuna.Study as these samplers ask for."""

    def __init__(self, view: View) -> None:
        is_minimized = view.direction is Direction.MINIMIZE
        self.direction = StudyDirection.MINIMIZE if is_minimized else StudyDirection.MAXIMIZE
        self.directions = [self.direction]
        self._finished = view.finished

    def _is_multi_objective(self) -> bool:
        return False

    def _get_trials(self, **_: object) -> range:
        # TPE only counts them: `ArrayTPESampler` reads the view.
        return range(self._finished)
