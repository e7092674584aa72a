"""How much of the space of values the best trials of several objectives dominate: Optuna's hypervolume."""

import numpy as np
from optuna._hypervolume import compute_hypervolume

from service.history import Floats

MARGIN = 0.1
"""The reference point lies beyond the worst values by this share of their range."""


def reference_M(losses_NM: Floats) -> Floats:
    """Return the point that everything is measured from: the worst value of each objective, moved out a little."""
    worst_M = losses_NM.max(axis=0)
    range_M = worst_M - losses_NM.min(axis=0)
    found: Floats = worst_M + MARGIN * np.where(range_M > 0, range_M, 1.0)
    return found


def hypervolumes(losses_NM: Floats, reference_M: Floats) -> list[float]:
    """Return for each trial the hypervolume of it and those before it, in the unit of the losses' product."""
    found: list[float] = []
    front_KM = np.empty((0, losses_NM.shape[1]))
    for loss_M in losses_NM:
        if (front_KM <= loss_M).all(axis=1).any():
            found.append(found[-1])
            continue
        is_left_K = ~(front_KM >= loss_M).all(axis=1)
        front_KM = np.vstack([front_KM[is_left_K], loss_M])
        found.append(float(compute_hypervolume(front_KM, reference_M)))
    return found
