"""Chance: what is left out of a point that somebody gives is drawn, each parameter evenly on its scale."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from optuna.samplers import RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from service.storage.dimensions import Dimension, Point, params
from trimtab.message import FlatParams
from trimtab.space import Space


def drawn(space: Space, dimensions: Sequence[Dimension], given: FlatParams, *, seed: int) -> Point:
    """Return the point of `given`, completed: what is active there and was left out is drawn by chance.

    Args:
        space: What is searched.
        dimensions: The same, Optuna's way.
        given: Valid values of parameters.
        seed: All the randomness there is, in [0, 2^32).
    """
    sampler = RandomSampler(seed)
    point: dict[str, float] = {}
    for dimension in dimensions:
        if not space.is_active(dimension.name, params(dimensions, point)):
            continue
        if dimension.name in given:
            point[dimension.stored_name] = dimension.stored(given[dimension.name])
        else:
            point[dimension.stored_name] = _draw(sampler, dimension)
    return point


def filling_seed(study_seed: int, number: int) -> int:
    """Return the seed of what is drawn for trial `number`, in [0, 2^32), unrelated to the sampler's."""
    return int(np.random.SeedSequence((study_seed, number), spawn_key=(2,)).generate_state(1)[0])


def _draw(sampler: RandomSampler, dimension: Dimension) -> float:
    # A random sampler looks at neither study nor trial.
    study, trial = cast("Study", None), cast("FrozenTrial", None)
    value = sampler.sample_independent(study, trial, dimension.stored_name, dimension.distribution)
    return float(dimension.distribution.to_internal_repr(value))
