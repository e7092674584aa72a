"""A grid: the n-th trial that is sampled gets the n-th point of a seeded order of all points.

The places of points that were given to the study are passed over.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from service.history import Ints
from service.sampling.suggestion import Suggestion
from service.storage.dimensions import Dimension
from trimtab import grids
from trimtab.space import Space


def suggested(space: Space, dimensions: Sequence[Dimension], *, seed: int, sequence: int) -> Suggestion:
    """Return the point of the `sequence`-th trial, from 0; after the last place comes the first."""
    grid = grids.grid(space)
    params = grid.point(int(_order(seed, grid.size)[sequence % grid.size]))
    by_name = {dimension.name: dimension for dimension in dimensions}
    return Suggestion({by_name[name].stored_name: by_name[name].stored(value) for name, value in params.items()})


@lru_cache(maxsize=8)
def _order(seed: int, size: int) -> Ints:
    return np.random.default_rng(seed).permutation(size)
