"""Which trials no other one beats, where there are several objectives."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trimtab.objectives import Objective

_TWO = 2


def front(ranked: Sequence[tuple[int, Sequence[float]]], objectives: Sequence[Objective]) -> list[int]:
    """Return the ids of the trials that no other beats: as good in every objective and better in one.

    Equal trials beat each other not: all of them are on the front.

    Args:
        ranked: Each trial's id with its value in each objective.
        objectives: What the values are of.
    """
    if not ranked:
        return []
    signs = [objective.direction.sign for objective in objectives]
    # N trials, O objectives; less is better.
    losses_NO = np.array([values for _, values in ranked]) * signs
    order = np.lexsort(losses_NO.T[::-1])
    on_front = _swept(losses_NO, order) if len(objectives) == _TWO else _sieved(losses_NO, order)
    return [ranked[position][0] for position in sorted(on_front)]


def _swept(losses_N2: npt.NDArray[np.float64], order: npt.NDArray[np.intp]) -> list[int]:
    """Return the positions on the front of two objectives: ascending in one, each is better in the other."""
    on_front: list[int] = []
    last = (-np.inf, np.inf)
    for position, first, second in zip(order.tolist(), *losses_N2[order].T.tolist(), strict=True):
        if second < last[1] or (first, second) == last:
            on_front.append(position)
            last = (first, second)
    return on_front


def _sieved(losses_NO: npt.NDArray[np.float64], left: npt.NDArray[np.intp]) -> list[int]:
    """Return the positions on the front, in as many passes as it has trials."""
    on_front: list[int] = []
    while left.size:
        # In this order nobody behind the first one beats it.
        first = losses_NO[left[0]]
        is_equal = (losses_NO[left] == first).all(axis=1)
        on_front.extend(left[is_equal].tolist())
        is_beaten = (losses_NO[left] >= first).all(axis=1)
        left = left[~is_beaten]
    return on_front
