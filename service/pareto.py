"""Which trials no other one beats, where there are several objectives."""

from collections.abc import Sequence

import numpy as np

from trimtab.objectives import Objective
from trimtab.states import Direction


def front(ranked: Sequence[tuple[int, Sequence[float]]], objectives: Sequence[Objective]) -> list[int]:
    """Return the ids of the trials that no other beats: as good in every objective and better in one.

    Equal trials beat each other not: all of them are on the front.

    Args:
        ranked: Each trial's id with its value in each objective.
        objectives: What the values are of.
    """
    if not ranked:
        return []
    signs = [1.0 if objective.direction is Direction.MINIMIZE else -1.0 for objective in objectives]
    # N trials, O objectives; less is better.
    losses_NO = np.array([values for _, values in ranked]) * signs
    left = np.lexsort(losses_NO.T[::-1])
    on_front: list[int] = []
    while left.size:
        # In this order nobody behind the first one beats it.
        first = losses_NO[left[0]]
        is_equal = (losses_NO[left] == first).all(axis=1)
        on_front.extend(left[is_equal].tolist())
        is_beaten = (losses_NO[left] >= first).all(axis=1)
        left = left[~is_beaten]
    return [ranked[position][0] for position in sorted(on_front)]
