"""Points that were chosen ahead, while trials run, for workers to come: where choosing one costs more than it should.

Asked one at a time, a study has the same trials with and without them: a point that was chosen while nothing ran is
the very point that the ask would have been given, and one that was chosen while something ran is used only while
something runs. Whatever is in a stock may be lost with its replica.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from service.sampling.suggestion import Suggestion

MOST = 8
"""Points of a study. One for each of so many workers."""

WORTH_SECONDS = 0.02
"""A point that takes less is chosen when it is asked for."""

_SHARE = 0.1
"""Of the time between two asks, a trial's divided by the workers, that choosing a point may take."""

_WAIT_SECONDS = 5.0
"""How long an ask waits for points that are being chosen: as long as a sampler may take."""

_STALE = 16
"""Trials that may have ended since a point was chosen while others ran."""

_WEIGHT = 0.3
"""Of the newest figure in a mean."""

_MAX_RUNNING = 10_000
"""Leases whose beginning is remembered."""


@dataclass(frozen=True)
class Prepared:
    """Points that were chosen ahead.

    Args:
        suggestions: At least one.
        number: The number that the first was chosen for.
        salt: None: nothing ran, and the point is that of its number.
    """

    suggestions: Sequence[Suggestion]
    number: int
    salt: int | None


class Stock:
    """The points of one study that are ready, and whether it is worth while to have any. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._prepared: Prepared | None = None
        self._ended = 0
        self._point_seconds: float | None = None
        self._trial_seconds: float | None = None
        self._began: LRUCache[int, float] = LRUCache(_MAX_RUNNING)
        self._is_filling = False
        self._is_wanted_again = False

    def put(self, prepared: Prepared, *, ended: int) -> None:
        """Take points in; `ended`: trials that had ended when they were chosen. What was there goes."""
        with self._lock:
            self._prepared, self._ended = prepared, ended
            self._lock.notify_all()

    def take(self, count: int, *, number: int, ended: int, running: int) -> Prepared | None:
        """Return `count` points; None if there are not as many that may be used.

        Args:
            count: How many.
            number: That the next trial gets.
            ended: Trials that have ended.
            running: Trials that run.
        """
        with self._lock:
            # To choose one beside whoever is choosing some would take longer.
            self._lock.wait_for(lambda: self._prepared or not self._is_filling, timeout=_WAIT_SECONDS)
            prepared = self._prepared
            if prepared is None or len(prepared.suggestions) < count:
                return None
            if not self._is_usable(prepared, number=number, ended=ended, running=running):
                self._prepared = None
                return None
            left = prepared.suggestions[count:]
            self._prepared = Prepared(left, prepared.number + count, prepared.salt) if left else None
            return Prepared(prepared.suggestions[:count], prepared.number, prepared.salt)

    def chose(self, seconds: float, *, count: int) -> None:
        """Note how long it took to choose `count` points."""
        with self._lock:
            self._point_seconds = _mean(self._point_seconds, seconds / count)

    def began(self, lease_id: int) -> None:
        """Note that a trial begins."""
        with self._lock:
            self._began[lease_id] = time.monotonic()

    def ended(self, lease_id: int) -> None:
        """Note that a trial has ended: the point of a number would be another one now."""
        with self._lock:
            if self._prepared and self._prepared.salt is None:
                self._prepared = None
            if began := self._began.pop(lease_id, None):
                self._trial_seconds = _mean(self._trial_seconds, time.monotonic() - began)

    def begin_filling(self) -> bool:
        """Return whether points are to be chosen ahead now, by who asks: they are worth it, scarce, and nobody does."""
        with self._lock:
            if self._is_filling:
                self._is_wanted_again = True
                return False
            self._is_filling = self._is_worth_while and self._is_scarce
            return self._is_filling

    def go_on_filling(self) -> bool:
        """Return whether more has happened meanwhile, so that points are to be chosen once more."""
        with self._lock:
            self._is_filling = self._is_wanted_again and self._is_worth_while and self._is_scarce
            self._is_wanted_again = False
            self._lock.notify_all()
            return self._is_filling

    def _is_usable(self, prepared: Prepared, *, number: int, ended: int, running: int) -> bool:
        if prepared.salt is None:
            return ended == self._ended and number == prepared.number
        return running > 0 and ended - self._ended <= _STALE

    @property
    def _is_scarce(self) -> bool:
        if self._prepared is None:
            return True
        if self._prepared.salt is None:
            return False
        # Those for workers to come are of no use once nothing runs, as far as this replica knows.
        return not self._began or len(self._prepared.suggestions) < MOST / 2

    @property
    def _is_worth_while(self) -> bool:
        if self._point_seconds is None or self._trial_seconds is None:
            return False
        between_asks = self._trial_seconds / max(1, len(self._began))
        return self._point_seconds > max(WORTH_SECONDS, _SHARE * between_asks)


def _mean(before: float | None, newest: float) -> float:
    return newest if before is None else before + _WEIGHT * (newest - before)
