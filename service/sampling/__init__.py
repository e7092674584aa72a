"""Chooses the next point of a space. The sampler is Optuna's, made anew for each trial, on our view of the history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from zlib import crc32

import numpy as np
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from service.history import Bools
from service.sampling import gp
from service.sampling import grid as grids
from service.sampling.auto import Choice, choice
from service.sampling.distinct import distinct, finite, is_used
from service.sampling.drawing import draw, draw_one
from service.sampling.genetic import ViewNSGAIIISampler, ViewNSGAIISampler, relatives_N
from service.sampling.gp import is_installed
from service.sampling.qmc import SequenceSampler
from service.sampling.study_view import StudyView
from service.sampling.suggestion import Suggestion, seed_of, training_seed
from service.sampling.tpe import ArrayTPESampler, Pools
from service.sampling.view import OpenPoint, View
from service.storage.dimensions import Dimension
from trimtab import samplers
from trimtab import spec as specs

__all__ = [
    "OpenPoint",
    "Suggestion",
    "View",
    "chosen",
    "finite",
    "in_sequence",
    "is_installed",
    "is_sequence",
    "is_slow",
    "is_used",
    "random_one",
    "random_points",
    "seed_of",
    "suggest",
    "suggest_many",
    "suggest_one",
    "training_seed",
    "will_be_slow",
]

_MANY = 500
"""Finished trials of several objectives from which on Optuna's own TPE takes a tenth of a second."""

Make = Callable[[View, int], BaseSampler]
"""Makes the sampler of one trial, of the view and a seed."""


def suggest(spec: specs.StudySpec, view: View, *, number: int, salt: int | None = None) -> Suggestion:
    """Return the point for trial `number`: the same for the same spec, view and number, in every replica.

    With `salt`, in [0, 2^32), another one, for an ask that comes at the same time as others.
    """
    return suggest_many(spec, view, number=number, count=1, salt=salt)[0]


def suggest_many(
    spec: specs.StudySpec, view: View, *, number: int, count: int, salt: int | None = None
) -> list[Suggestion]:
    """Return points for `count` trials from `number` on, each chosen with those before it counted as running.

    Of a finite space no point twice: fewer, where it comes to its end.
    """
    return _suggested(spec, view, _plan(chosen(spec).sampler, view, count), number=number, count=count, salt=salt)


def random_points(
    spec: specs.StudySpec, view: View, *, number: int, count: int, salt: int | None = None
) -> list[Suggestion]:
    """Return points that take no account of others: what the sampler `random` would suggest."""
    plan = _plan(samplers.RandomSampler(name="random"), view, count)
    return _suggested(spec, view, plan, number=number, count=count, salt=salt)


def suggest_one(spec: specs.StudySpec, view: View, dimension: Dimension, *, number: int) -> Suggestion:
    """Return a value of one parameter for trial `number`, chosen for itself, in the range that is asked for now.

    The same for the same spec, view and number, in every replica, whatever the trial asks for besides.

    Args:
        spec: Of a define-by-run study.
        view: Of the other trials. Some may lie beside the range.
        dimension: The parameter.
        number: Of the trial.
    """
    return _one(spec, view, dimension, number=number, settings=chosen(spec).sampler)


def random_one(spec: specs.StudySpec, view: View, dimension: Dimension, *, number: int) -> Suggestion:
    """Return a value that takes no account of others."""
    return _one(spec, view, dimension, number=number, settings=samplers.RandomSampler(name="random"))


def _one(
    spec: specs.StudySpec, view: View, dimension: Dimension, *, number: int, settings: samplers.Sampler
) -> Suggestion:
    view = view.with_name(dimension.stored_name)
    # By its name: parameters that are alike would else have the same value, as long as chance chooses it.
    seed = seed_of(spec.sampler.seed, number, salt=crc32(dimension.stored_name.encode()))
    plan = _plan(settings, view, 1)
    return draw_one(plan.make(view, seed), StudyView(view, plan.rows_N), dimension, number=number)


def _suggested(
    spec: specs.StudySpec, view: View, plan: "_Plan", *, number: int, count: int, salt: int | None
) -> list[Suggestion]:
    study = StudyView(view, plan.rows_N, parents_key=plan.parents_key)
    space, grid = spec.searched, finite(spec)
    suggestions: list[Suggestion] = []
    for each in range(number, number + count):

        def drawn(salt: int | None, each: int = each) -> Suggestion:
            sampler = plan.make(study.view, seed_of(spec.sampler.seed, each, salt=salt))
            return draw(sampler, study, space, number=each)

        found = distinct(spec, grid, study.view, drawn, number=each, salt=salt) if grid else drawn(salt)
        if found is None:
            break
        suggestions.append(found)
        study.add(OpenPoint(each, found.point, found.attributes))
    return suggestions


def is_sequence(spec: specs.StudySpec) -> bool:
    """Return whether points are taken in turn, whatever came of others: see `in_sequence`."""
    return isinstance(chosen(spec).sampler, samplers.GridSampler | samplers.QmcSampler)


def is_slow(spec: specs.StudySpec, view: View) -> bool:
    """Return whether a suggestion may take long, so that it is made in a child process."""
    match chosen(spec).sampler:
        case samplers.GpSampler(startup_trials=startup):
            return not gp.is_starting(view, startup_trials=startup)
        case samplers.TpeSampler():
            return len(view.directions) > 1 and view.finished > _MANY
        case _:
            return False


def will_be_slow(spec: specs.StudySpec) -> bool:
    """Return whether suggestions of this study are made in a child process sooner or later."""
    return isinstance(chosen(spec).sampler, samplers.GpSampler)


def in_sequence(spec: specs.StudySpec, view: View, *, number: int, first: int, count: int) -> list[Suggestion]:
    """Return the points of `count` trials from `number` on, the `first`-th of those that are sampled, from 0.

    In a finite space places are passed over whose points trials have; fewer, where it comes to its end.
    """
    dimensions, grid = view.dimensions, finite(spec)
    suggestions: list[Suggestion] = []
    for each in range(count):

        def placed(further: int | None, place: int = first + each) -> Suggestion:
            return _of_sequence(spec, dimensions, place + (further or 0))

        found = distinct(spec, grid, view, placed, number=number + each, salt=None) if grid else placed(None)
        if found is None:
            break
        suggestions.append(found)
        view = view.with_open([OpenPoint(number + each, found.point)]) if grid else view
    return suggestions


def chosen(spec: specs.StudySpec) -> Choice:
    """Return the sampler of a resolved spec, with the reason where it was left to the service."""
    return choice(spec, has_gp=is_installed())


def _of_sequence(spec: specs.StudySpec, dimensions: Sequence[Dimension], sequence: int) -> Suggestion:
    if not isinstance(spec.sampler, samplers.QmcSampler):
        return grids.suggested(spec.searched, dimensions, seed=spec.sampler.seed, sequence=sequence)
    view = View.empty(spec, dimensions)
    sampler = SequenceSampler(
        view,
        kind=spec.sampler.sequence,
        study_seed=spec.sampler.seed,
        seed=seed_of(spec.sampler.seed, sequence),
        sequence=sequence,
    )
    return draw(sampler, StudyView(view), spec.searched, number=sequence)


@dataclass(frozen=True)
class _Plan:
    """How a sampler is used.

    Args:
        make: Makes it.
        rows_N: The finished trials that it asks the study for; None: all that one can learn from.
        parents_key: What it calls the parents of a generation, but for its number.
    """

    make: Make
    rows_N: Bools | None = None
    parents_key: str = ""


def _plan(settings: samplers.Sampler, view: View, count: int) -> _Plan:
    match settings:
        case samplers.GpSampler():
            return _gaussian(settings, view)
        case samplers.Nsga2Sampler() | samplers.Nsga3Sampler():
            return _genetic(settings, view)
        case samplers.TpeSampler(startup_trials=startup) if len(view.directions) > 1:
            return _Plan(lambda _, seed: TPESampler(seed=seed, n_startup_trials=startup))
        case _:
            return _Plan(_from_arrays(settings, count), rows_N=np.zeros_like(view.is_usable_N))


def _gaussian(settings: samplers.GpSampler, view: View) -> _Plan:
    asked = view.unfinished

    def make(view: View, seed: int) -> BaseSampler:
        is_first = len(view.unfinished) == len(asked)
        return gp.sampler(view, seed=seed, startup_trials=settings.startup_trials, is_first=is_first)

    return _Plan(make, rows_N=view.is_complete_N)


def _from_arrays(settings: samplers.Sampler, count: int) -> Make:
    """Return what makes a sampler that reads the view and never asks the study for a trial."""
    match settings:
        case samplers.RandomSampler():
            return lambda _, seed: RandomSampler(seed)
        case samplers.TpeSampler(startup_trials=startup):
            return partial(_tpe, pools={}, startup_trials=startup, others=count - 1)
        case samplers.CmaesSampler(population_size=size):
            # cmaes imports scipy.stats: half a second, which only such a study need wait.
            from service.sampling.cmaes import ReplayedCmaEsSampler  # noqa: PLC0415

            return lambda view, seed: ReplayedCmaEsSampler(view, seed=seed, population_size=size)
        case _:
            raise NotImplementedError(settings.name)


def _tpe(view: View, seed: int, *, pools: Pools, startup_trials: int, others: int) -> BaseSampler:
    return ArrayTPESampler(view, seed=seed, startup_trials=startup_trials, pools=pools, others=others)


def _genetic(settings: samplers.Nsga2Sampler | samplers.Nsga3Sampler, view: View) -> _Plan:
    made = ViewNSGAIISampler if isinstance(settings, samplers.Nsga2Sampler) else ViewNSGAIIISampler
    size = settings.population_size
    return _Plan(
        lambda _, seed: made(population_size=size, seed=seed),
        rows_N=relatives_N(view),
        parents_key=made._get_parent_cache_key_prefix(),
    )
