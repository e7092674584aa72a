"""What should not be in the features: the answer, or the very examples that the network is judged by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.models.columns import Rows
from workers.training.dealing import Indices, random_keys

# N examples, B bins, C classes, D features, K parts of a cross-validation.

_EXAMPLES = 2000
_FEATURES = 2000
_PARTS = 5
"""Each is predicted by the others."""

_MOST_BINS = 256
_PER_BIN = 8
_PER_VALUE = 5
"""Examples in a bin; in one of a single value. With these figures a hundred features take a tenth of a second."""


Judge = Callable[[Indices, NDArray[Any], Indices], float]
"""From bin_N, target_N and part_N to the error of what bins answer."""


@dataclass(frozen=True)
class Leak:
    """The feature that alone tells most of the target.

    Args:
        error: Of what it tells, cross-validated: share of wrong answers; of a number the root mean squared error of
            its rank, in standard deviations of ranks.
        feature: Which column of the table, or number of the image, from 0.
    """

    error: float
    feature: int


def find_leak(rows: Rows, y_N: NDArray[Any], *, is_class: bool) -> Leak | None:
    """Return what the best single feature alone tells of the target; None: there are too few examples, or no features.

    A feature is cut into bins of as many examples each (of a feature of few values, each is one), and each bin answers
    what is most common in it, or the mean. Of many examples a sample is looked at, of many features some.

    Args:
        rows: Of training and validation, none of the test.
        y_N: Their classes by number, or numbers.
        is_class: Which of the two.
    """
    sample = np.argsort(random_keys(len(y_N), f"leak {len(y_N)}"))[:_EXAMPLES]
    if len(sample) < 2 * _PARTS:
        return None
    target_N: NDArray[Any] = y_N[sample] if is_class else _ranks(y_N[sample])
    judge: Judge = _wrong_answers if is_class else _rank_error
    part_N = np.arange(len(sample)) % _PARTS
    leaks = (Leak(judge(_bins(values_N), target_N, part_N), number) for number, values_N in _features(rows[sample]))
    return min(leaks, key=lambda leak: leak.error, default=None)


def duplicate_share(train_NX: NDArray[np.float32], validation_NX: NDArray[np.float32]) -> float:
    """Return the share of validation rows that are training rows too."""
    seen = {hash(row.tobytes()) for row in train_NX}
    return float(np.mean([hash(row.tobytes()) in seen for row in validation_NX]))


def _features(rows: Rows) -> Iterator[tuple[int, NDArray[Any]]]:
    columns: Any = list(rows.columns.values())
    if rows.images_NCHW is not None:
        columns = rows.images_NCHW.reshape(len(rows), -1).T
    for number in np.unique(np.linspace(0, len(columns) - 1, min(_FEATURES, len(columns)), dtype=np.int64)).tolist():
        yield number, columns[number]


def _bins(values_N: NDArray[Any]) -> Indices:
    """Number the bins; what is missing is one."""
    if values_N.dtype == object:
        values_N = np.array([text or "" for text in values_N], dtype=str)
    values, bin_N = np.unique(values_N, return_inverse=True)
    if len(values) * _PER_VALUE <= len(values_N) or values_N.dtype.kind == "U":
        return bin_N.reshape(-1)
    ranks_N = np.searchsorted(np.sort(bin_N, axis=None), bin_N.reshape(-1))
    bins = min(_MOST_BINS, max(2, len(values_N) // _PER_BIN))
    return ranks_N * bins // len(values_N)


def _ranks(y_N: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rank of each; equal ones have the mean of theirs."""
    order = np.sort(y_N)
    return (np.searchsorted(order, y_N, side="left") + np.searchsorted(order, y_N, side="right") - 1) / 2


def _wrong_answers(bin_N: Indices, class_N: Indices, part_N: Indices) -> float:
    shape = (_PARTS, int(bin_N.max()) + 1, int(class_N.max()) + 1)
    counts_KBC = np.bincount(np.ravel_multi_index((part_N, bin_N, class_N), shape), minlength=np.prod(shape))
    counts_KBC = counts_KBC.reshape(shape)
    others_KBC = counts_KBC.sum(axis=0) - counts_KBC
    # A bin that the others do not have answers what is most common in all of them: it counts less than any example.
    common_KBC = others_KBC.sum(axis=1, keepdims=True) / (len(bin_N) + 1)
    answer_KB = (others_KBC + common_KBC).argmax(axis=2)
    right = np.take_along_axis(counts_KBC, answer_KB[:, :, None], axis=2).sum()
    return 1 - float(right) / len(bin_N)


def _rank_error(bin_N: Indices, rank_N: NDArray[np.float64], part_N: Indices) -> float:
    shape = (_PARTS, int(bin_N.max()) + 1)
    cell_N = np.ravel_multi_index((part_N, bin_N), shape)
    counts_KB = np.bincount(cell_N, minlength=np.prod(shape)).reshape(shape)
    sums_KB = np.bincount(cell_N, weights=rank_N, minlength=np.prod(shape)).reshape(shape)
    others_KB = counts_KB.sum(axis=0) - counts_KB
    means_KB = np.where(others_KB > 0, (sums_KB.sum(axis=0) - sums_KB) / np.maximum(others_KB, 1), rank_N.mean())
    return float(np.sqrt(np.mean((rank_N - means_KB[part_N, bin_N]) ** 2)) / (rank_N.std() or 1.0))
