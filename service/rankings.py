"""In which order the trials of a study come, by what they are sorted by: figures that a replica has read once.

PostgreSQL takes a third of a second to sort a hundred thousand trials by a parameter; this, ten milliseconds.
Nothing here is state: what is forgotten is read again.
"""

import threading

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from cachetools import LRUCache

from service.storage import sort_keys
from service.storage.sort_keys import Figures, SortKey
from trimtab.states import TrialState

# N trials.
Numbers = npt.NDArray[np.int32]

MAX_COLUMNS = 32
"""That are remembered: of a hundred thousand trials each, a megabyte and a half apiece."""

_STATES = {state: position for position, state in enumerate(TrialState)}


class Rankings:
    """The figures that tables were sorted by lately. Those of trials that have ended since are added to them."""

    def __init__(self) -> None:
        self._columns: LRUCache[tuple[int, SortKey], Figures] = LRUCache(MAX_COLUMNS)
        self._lock = threading.Lock()

    def figures(self, connection: sa.Connection, study_id: int, key: SortKey) -> Figures:
        """Return one figure of each trial of a study as it is now."""
        with self._lock:
            known = self._columns.get((study_id, key))
        # In this order: one that ends in between is seen twice, and counts as ended.
        unfinished = sort_keys.unfinished(connection, study_id, key)
        new = sort_keys.ended(connection, study_id, key, known=known.known if known else 0)
        ended = _together(known, new) if known else new
        with self._lock:
            self._columns[study_id, key] = ended
        return _together(ended, _without(unfinished, new))


def ranked(figures: Figures, state: TrialState | None, *, is_descending: bool) -> Numbers:
    """Return the numbers of trials, sorted: of equals the lower number first, those without a figure last.

    Args:
        figures: Of the trials.
        state: Of those in this state; None: of all.
        is_descending: The highest figure first.
    """
    if state is not None:
        figures = _chosen(figures, figures.states_N == _STATES[state])
    # NaN is last in either direction.
    by_N = -figures.figures_N if is_descending else figures.figures_N
    numbers: Numbers = figures.numbers_N[np.lexsort((figures.numbers_N, by_N))]
    return numbers


def _chosen(figures: Figures, is_chosen_N: npt.NDArray[np.bool_]) -> Figures:
    return Figures(
        figures.known,
        figures.numbers_N[is_chosen_N],
        figures.states_N[is_chosen_N],
        figures.figures_N[is_chosen_N],
    )


def _without(figures: Figures, others: Figures) -> Figures:
    return _chosen(figures, ~np.isin(figures.numbers_N, others.numbers_N))


def _together(one: Figures, other: Figures) -> Figures:
    """Return the figures of both; of trials that have ended, those of `other` ended later or have not."""
    if not other.numbers_N.size:
        return one
    return Figures(
        max(one.known, other.known),
        np.append(one.numbers_N, other.numbers_N),
        np.append(one.states_N, other.states_N),
        np.append(one.figures_N, other.figures_N),
    )
