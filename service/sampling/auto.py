"""Which sampler suits a study: a pure function of what the study is asked to be."""

import math
from dataclasses import dataclass

from trimtab import grids
from trimtab.samplers import (
    AutoSampler,
    CmaesSampler,
    GpSampler,
    GridSampler,
    Nsga2Sampler,
    Nsga3Sampler,
    Sampler,
    TpeSampler,
)
from trimtab.space import Categorical, Space
from trimtab.spec import StudySpec

_UNBOUND_TRIALS = 1000
"""What a study is taken for whose budget does not count trials."""

_FEW = 100
"""Trials up to which a Gaussian process is worth its time: a suggestion takes a second at so many."""

_CHEAP_SECONDS = 3.0
"""A trial that takes less is not worth the third of a second in which a Gaussian process chooses its point."""

_MOST_DIMENSIONS = 20
"""Parameters up to which it is: distances tell less and less in more of them."""

_GENERATIONS = 20
"""Of 50 trials each: fewer teach a genetic algorithm too little to be better than TPE."""

_EVOLUTION = 2000
"""Trials from which on numbers alone are left to CMA-ES."""

_THREE = 3


@dataclass(frozen=True)
class Choice:
    """A sampler, and why it was chosen."""

    sampler: Sampler
    reason: str | None = None


def choice(spec: StudySpec, *, has_gp: bool) -> Choice:
    """Return the sampler of a resolved spec; without `auto` the one that was asked for, without a reason.

    Args:
        spec: Resolved.
        has_gp: Whether there are Gaussian processes where the service runs.
    """
    if not isinstance(spec.sampler, AutoSampler):
        return Choice(spec.sampler)
    if spec.is_define_by_run:
        return Choice(TpeSampler(seed=spec.sampler.seed), "its trials say what they search")
    return _of_a_space(spec, has_gp=has_gp)


def _of_a_space(spec: StudySpec, *, has_gp: bool) -> Choice:
    seed, space, trials = spec.sampler.seed, spec.searched, spec.budget.trials or _UNBOUND_TRIALS
    if points := _all_points(space, most=trials):
        return Choice(GridSampler(name="grid", seed=seed), f"{trials} trials are enough for all {points} points")
    if len(spec.objectives) > 1:
        return _of_several(len(spec.objectives), trials, seed)
    if spec.constraints or any(space[name].when for name in space):
        why = "constraints" if spec.constraints else "conditions"
        return Choice(TpeSampler(seed=seed), f"one objective, with {why}")
    if (seconds := _trial_seconds(spec)) < _CHEAP_SECONDS:
        return Choice(TpeSampler(seed=seed), f"one objective, and a trial is to take {seconds:.3g} s")
    return _of_one(space, trials, seed, has_gp=has_gp)


def _of_several(objectives: int, trials: int, seed: int) -> Choice:
    if trials < _GENERATIONS * Nsga2Sampler(name="nsga2").population_size:
        return Choice(TpeSampler(seed=seed), f"{objectives} objectives, and {trials} trials are few")
    why = f"{objectives} objectives and {trials} trials"
    if objectives >= _THREE:
        return Choice(Nsga3Sampler(name="nsga3", seed=seed), why)
    return Choice(Nsga2Sampler(name="nsga2", seed=seed), why)


def _of_one(space: Space, trials: int, seed: int, *, has_gp: bool) -> Choice:
    why = f"one objective, {len(space)} parameters without conditions, {trials} trials"
    if trials <= _FEW and len(space) <= _MOST_DIMENSIONS and has_gp:
        return Choice(GpSampler(name="gp", seed=seed), why)
    if trials >= _EVOLUTION and len(space) > 1 and _is_numeric(space):
        return Choice(CmaesSampler(name="cmaes", seed=seed), f"{why}, all of them numbers")
    return Choice(TpeSampler(seed=seed), why)


def _trial_seconds(spec: StudySpec) -> float:
    """Return what a trial may take on average, as far as the budget says; for ever where it does not."""
    budget = spec.budget
    if budget.trials is None:
        return math.inf
    return min(budget.seconds or math.inf, budget.device_seconds or math.inf) / budget.trials


def _all_points(space: Space, *, most: int) -> int | None:
    """Return how many points a space has, if that is not more than `most`."""
    if grids.infinite(space):
        return None
    try:
        size = grids.grid(space).size
    except grids.Uncountable:
        return None
    return size if size <= min(most, grids.MAX_POINTS) else None


def _is_numeric(space: Space) -> bool:
    return not any(isinstance(space[name], Categorical) for name in space)
