"""No point of a finite space twice, whatever a sampler thinks of it."""

from collections.abc import Callable, Iterable

import numpy as np

from service.history import Floats
from service.sampling.suggestion import Suggestion, seed_of
from service.sampling.view import ROUNDING, View
from service.storage.dimensions import Point, params
from trimtab import grids
from trimtab.grids import Grid
from trimtab.spec import StudySpec

_TRIES = 10
"""Times that a sampler is asked again. What it likes best it likes for good; salted it likes something else."""


def finite(spec: StudySpec) -> Grid | None:
    """Return all points of the study's space; None if there are infinitely many, or too many to look at."""
    space = spec.searched
    if grids.infinite(space):
        return None
    try:
        found = grids.grid(space)
    except grids.Uncountable:
        return None
    return found if found.size <= grids.MAX_POINTS else None


def distinct(
    spec: StudySpec, grid: Grid, view: View, draw: Callable[[int | None], Suggestion], *, number: int, salt: int | None
) -> Suggestion | None:
    """Return a suggestion whose point no trial has; None if every point was tried.

    Args:
        spec: Of the study.
        grid: Of its space.
        view: Of its trials.
        draw: Asks the sampler, with salt.
        number: Of the trial.
        salt: Of the first draw.
    """
    for extra in range(_TRIES):
        suggestion = draw(salt if not extra else (salt or 0) + extra)
        if not is_used(view, suggestion.point):
            return suggestion
    left = np.setdiff1d(np.arange(grid.size), list(_used(grid, view)))
    if not left.size:
        return None
    chosen = np.random.default_rng(seed_of(spec.sampler.seed, number, salt=salt)).choice(left)
    point = grid.point(int(chosen))
    return Suggestion({d.stored_name: d.stored(point[d.name]) for d in view.dimensions if d.name in point})


def is_used(view: View, point: Point) -> bool:
    """Return whether a trial has that point."""
    points = np.concatenate([view.observations.points_NP, view.observations.failed_FP, view.unfinished_points_MP])
    row = view.observations.rows([point])
    is_same = (np.abs(points - row) <= _tolerance_P(view)) | (np.isnan(points) & np.isnan(row))
    return bool(is_same.all(axis=1).any())


def _tolerance_P(view: View) -> Floats:
    steps = {d.stored_name: getattr(d.distribution, "step", None) or 0.0 for d in view.dimensions}
    return np.array([steps.get(name, 0.0) * ROUNDING for name in view.observations.names])


def _used(grid: Grid, view: View) -> Iterable[int]:
    """Give the numbers of the points that trials have; a trial may be of a space that was larger once."""
    seen = view.observations
    rows = [
        dict(zip(seen.names, row, strict=True)) for row in np.concatenate([seen.points_NP, seen.failed_FP]).tolist()
    ]
    points = [{name: value for name, value in row.items() if not np.isnan(value)} for row in rows]
    for point in [*points, *(each.point for each in view.unfinished)]:
        number = grid.find(params(view.dimensions, point))
        if number is not None:
            yield number
