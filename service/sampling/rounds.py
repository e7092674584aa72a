"""Points of a round, and what the rounds before it taught: how coarse to fine is used on a study."""

import math
from collections.abc import Sequence

from service.history import Observations
from service.sampling.coarse_to_fine import Narrowed, narrowed, place_in_round, round_of
from service.sampling.drawing import draw
from service.sampling.qmc import SequenceSampler
from service.sampling.study_view import StudyView
from service.sampling.suggestion import Suggestion, seed_of
from service.sampling.view import View
from service.storage import dimensions as stored
from service.storage.dimensions import Dimension
from trimtab.message import FlatParams
from trimtab.samplers import CoarseToFineSampler
from trimtab.space import Categorical, Parameter, Space
from trimtab.spec import StudySpec
from trimtab.tasks import checks


def has_rounds(spec: StudySpec) -> bool:
    """Return whether the study's space changes from round to round."""
    return isinstance(spec.sampler, CoarseToFineSampler)


def round_at(spec: StudySpec, sequence: int) -> int:
    """Return in which round, from 0, the n-th trial is that is sampled, from 0."""
    return round_of(_settings(spec), sequence)


def next_space(
    spec: StudySpec, dimensions: Sequence[Dimension], observations: Observations, *, current: Space
) -> Narrowed:
    """Return the space of the round after the one in `current`, from all trials that have ended."""
    view = View(dimensions, [objective.direction for objective in spec.objectives], observations, ())
    ranked = [_params(dimensions, observations, int(row)) for row in view.best_first]
    return narrowed(_settings(spec), first=spec.searched, current=current, ranked=ranked, allowed=_limits(spec))


def dimensions_of(dimensions: Sequence[Dimension], space: Space) -> tuple[Dimension, ...]:
    """Return the dimensions of a study as trials of a round are stored with them.

    Numbers have the range of the round. Choices stay as they are: they are stored by their place among all of them,
    and to Optuna a categorical parameter is the same in every trial of a study.
    """
    of_round = {dimension.name: dimension for dimension in stored.dimensions(space)}
    return tuple(
        dimension if isinstance(dimension.parameter, Categorical) else of_round.get(dimension.name, dimension)
        for dimension in dimensions
    )


def in_round(spec: StudySpec, dimensions: Sequence[Dimension], space: Space, *, sequence: int) -> Suggestion:
    """Return the point of a trial: within its round those of a scrambled Sobol sequence, conditional ones at random.

    Args:
        spec: Of the study.
        dimensions: Of its first space.
        space: Of the round.
        sequence: The trial is the n-th that is sampled, from 0.
    """
    settings, index = _settings(spec), round_at(spec, sequence)
    of_round = stored.dimensions(space)
    view = View.of(spec, of_round, Observations.empty([dimension.stored_name for dimension in of_round]))
    sampler = SequenceSampler(
        view,
        kind="sobol",
        study_seed=seed_of(settings.seed, index),
        seed=seed_of(settings.seed, sequence),
        sequence=place_in_round(settings, sequence),
    )
    point = draw(sampler, StudyView(view), space, number=sequence).point
    params = stored.params(of_round, point)
    return Suggestion(
        {
            dimension.stored_name: dimension.stored(params[dimension.name])
            if isinstance(dimension.parameter, Categorical)
            else point[dimension.stored_name]
            for dimension in dimensions
            if dimension.name in params
        }
    )


def _settings(spec: StudySpec) -> CoarseToFineSampler:
    assert isinstance(spec.sampler, CoarseToFineSampler), "others have no rounds"
    return spec.sampler


def _params(dimensions: Sequence[Dimension], observations: Observations, row: int) -> FlatParams:
    point = zip(observations.names, observations.points_NP[row].tolist(), strict=True)
    return stored.params(dimensions, {name: value for name, value in point if not math.isnan(value)})


def _limits(spec: StudySpec) -> dict[str, Parameter]:
    """Return how far parameters can be widened: by their task; not at all where lists are as long as they say."""
    assert spec.space is not None, "resolved"
    limits: dict[str, Parameter] = {}
    if spec.task is not None:
        knobs = checks.known(spec.task.name).hyperparameters
        declared = {name: name if name in spec.space else name.rpartition("_")[0] for name in spec.searched}
        limits = {name: knobs[knob].allowed for name, knob in declared.items() if knob in knobs}
    counters = {parameter.per for parameter in spec.space.root.values() if parameter.per}
    return limits | {name: spec.space[name] for name in counters if name in spec.space}
