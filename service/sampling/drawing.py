"""Draws a point from one of Optuna's samplers, as optuna.Trial would: parameter by parameter."""

from collections.abc import Mapping
from typing import Any, cast

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from service.sampling.study_view import StudyView, frozen
from service.sampling.suggestion import Suggestion
from service.storage.dimensions import Dimension
from trimtab.message import Scalar
from trimtab.space import Space


def draw(sampler: BaseSampler, view: StudyView, space: Space, *, number: int) -> Suggestion:
    """Return the point of trial `number`, with what the sampler noted of it.

    Args:
        sampler: Made for this trial.
        view: Of the study.
        space: Says which parameters exist where.
        number: Of the trial.
    """
    study = cast("Study", view)
    trial = frozen(number, {}, {}, state=TrialState.RUNNING)
    relative = sampler.sample_relative(study, trial, sampler.infer_relative_search_space(study, trial))
    point: dict[str, float] = {}
    params: dict[str, Scalar] = {}
    for dimension in view.view.dimensions:
        if space.is_active(dimension.name, params):
            value = _value(sampler, study, trial, dimension, relative)
            point[dimension.stored_name] = float(dimension.distribution.to_internal_repr(value))
            params[dimension.name] = dimension.value(point[dimension.stored_name])
    return Suggestion(point, attributes=view.noted)


def draw_one(sampler: BaseSampler, view: StudyView, dimension: Dimension, *, number: int) -> Suggestion:
    """Return a value of one parameter of trial `number`, as optuna.Trial draws one that others lack."""
    trial = frozen(number, {}, {}, state=TrialState.RUNNING)
    value = _value(sampler, cast("Study", view), trial, dimension, {})
    return Suggestion({dimension.stored_name: float(dimension.distribution.to_internal_repr(value))})


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
