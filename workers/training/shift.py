"""Whether two sets come from one distribution: a classifier that tells them apart says no."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from workers.training.dealing import random_keys

# N examples, X shape of an example, D features.

_EXAMPLES = 2000
"""Of each set at most."""

_FEATURES = 2000
"""Of an example at most, evenly spaced."""

_PARTS = 3

_TREES = 30
_DEPTH = 6
_LOOKED_AT = 64  # features in each branching
"""So a hundred features take half a second of one core, and a hundred may hide one that is shifted by a deviation."""

_NORMAL_95 = 1.96


@dataclass(frozen=True)
class Shift:
    """How well two sets can be told apart.

    Args:
        auc: Chance that an example of one is told from one of the other, cross-validated: 0.5 where they are alike.
        low: Lower end of its 95 % interval.
    """

    auc: float
    low: float


def find_shift(a_NX: NDArray[np.float32], b_NX: NDArray[np.float32]) -> Shift | None:
    """Return how well a small forest tells two sets apart; None: one of them is too small to say anything.

    Source: J. Hanley, B. McNeil, The meaning and use of the area under a ROC curve, Radiology 143, 1982 (the interval).
    """
    if min(len(a_NX), len(b_NX)) < 2 * _PARTS:
        return None
    a_ND, b_ND = _sample(a_NX), _sample(b_NX)
    x_ND, is_b_N = np.concatenate((a_ND, b_ND)), np.repeat([0, 1], [len(a_ND), len(b_ND)])
    looked_at = min(_LOOKED_AT, math.ceil(0.3 * x_ND.shape[1]))
    forest = ExtraTreesClassifier(_TREES, max_depth=_DEPTH, max_features=looked_at, random_state=0)
    parts = StratifiedKFold(_PARTS, shuffle=True, random_state=0)
    scores_N = cross_val_predict(forest, x_ND, is_b_N, cv=parts, method="predict_proba")[:, 1]
    auc = float(roc_auc_score(is_b_N, scores_N))
    return Shift(auc, auc - _NORMAL_95 * _deviation(auc, len(a_ND), len(b_ND)))


def _sample(x_NX: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = np.argsort(random_keys(len(x_NX), f"shift {len(x_NX)}"))[:_EXAMPLES]
    x_ND = x_NX.reshape(len(x_NX), -1)
    return x_ND[rows, :: math.ceil(x_ND.shape[1] / _FEATURES)]


def _deviation(auc: float, examples: int, others: int) -> float:
    both_others, both_examples = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = (examples - 1) * (both_examples - auc**2) + (others - 1) * (both_others - auc**2)
    return math.sqrt((auc * (1 - auc) + spread) / (examples * others))
