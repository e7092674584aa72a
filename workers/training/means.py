"""What the trainings of a trial come to together: the means of their figures, and how far these may be off."""

import math
from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, stdev

_STANDARD_ERROR = "_standard_error"
_SCATTER = "_scatter"

_NUMBERS = {
    "leak_feature",
    "smallest_gradient_layer",
    "largest_gradient_layer",
    "smallest_activation_layer",
    "largest_activation_layer",
}
"""Of things: they have no mean. Those of the first training stand for all."""


def means(done: Sequence[dict[str, float]], folds: Sequence[int | None]) -> dict[str, float]:
    """Return the mean of each figure that all of some trainings have: a set may be too small in one fold to say it.

    From two on, of each figure that has a standard error also

        ..._scatter           s / sqrt(k), of the figure over the k trainings: what trials on the same sets differ by
        ..._standard_error    how far the mean may be off, by the examples too

    Args:
        done: The figures of each training.
        folds: Which fold validated in each; None: there are no folds.
    """
    averaged = {
        name: first if name in _NUMBERS else fmean(each[name] for each in done)
        for name, first in done[0].items()
        if all(name in each for each in done)
    }
    if len(done) == 1:
        return averaged
    for name in [name for name in averaged if f"{name}{_STANDARD_ERROR}" in averaged]:
        values, own = [each[name] for each in done], averaged[f"{name}{_STANDARD_ERROR}"]
        averaged[f"{name}{_STANDARD_ERROR}"] = _standard_error(values, folds, own=own)
        averaged[f"{name}{_SCATTER}"] = _scatter(values)
    return averaged


def _standard_error(values: Sequence[float], folds: Sequence[int | None], *, own: float) -> float:
    """Return the standard error of the mean of an error over trainings.

    Over folds it is that of the mean of what each of them came to, however often it was trained: each has examples of
    its own. Training sets overlap, so that it is rather too small. Without folds all trainings are judged by the same
    examples, which are as far off for the mean as for one of them: their own standard error and the seeds' scatter.

    Source: Nadeau and Bengio, "Inference for the Generalization Error" (2003): why it is too small.
    """
    by_fold = defaultdict(list)
    for fold, value in zip(folds, values, strict=True):
        by_fold[fold].append(value)
    if len(by_fold) == 1:
        return math.hypot(_scatter(values), own)
    return _scatter([fmean(each) for each in by_fold.values()])


def _scatter(values: Sequence[float]) -> float:
    """Return the standard error of the mean of values that owe nothing to each other."""
    return stdev(values) / math.sqrt(len(values))
