"""What pictures of trials say in words: where the best of them lie, and how many of all are shown."""

from collections.abc import Sequence

import numpy as np

from service.history import Ints
from service.web import words
from service.web.figures.axes import Axis
from service.web.figures.labels import listed
from service.web.figures.subject import Subject

_BEST_SHARE = 10
"""One in so many is among the best."""

COLUMNS = ("Parameter", "Best trial", "Best tenth of the trials")


def rows(subject: Subject, axes: Sequence[Axis], best_first: Ints) -> list[tuple[str, str, str]]:
    """Return for each parameter its value in the best trial, and what it is in the best tenth."""
    best_N = best_first[: max(1, len(best_first) // _BEST_SHARE)]
    return [(axis.name, _texts(subject, axis, best_N[:1]), _texts(subject, axis, best_N)) for axis in axes]


def shown_of(shown: int, complete: int) -> str:
    """Return which trials a picture has."""
    if shown == complete:
        return f"{complete:,} complete trials."
    return f"{shown:,} of {complete:,} complete trials: the best, and an even choice of the others."


def _texts(subject: Subject, axis: Axis, rows_N: Ints) -> str:
    stored = subject.column(axis.dimension)[rows_N]
    stored = stored[~np.isnan(stored)]
    if not len(stored):
        return "is in none of them"
    values = [axis.dimension.value(each) for each in stored.tolist()]
    if axis.is_choice:
        return listed(dict.fromkeys(map(words.choice, values)))
    low, high = sorted(axis.drawn(each) for each in (stored.min(), stored.max()))
    return axis.text(low) if low == high else f"{axis.text(low)} to {axis.text(high)}"
