"""How often something may be done: a bucket that fills steadily, and that each time takes one from."""

import time
from collections.abc import Callable, Hashable
from threading import Lock

from cachetools import LRUCache

BURST_SECONDS = 2.0
"""Who was quiet may make the requests of so long at once."""

_MAX_BUCKETS = 4096


class Pace:
    """Counts what each does, in this replica: the requests of a token, the guesses from an address.

    Args:
        per_second: How often each may do it for ever; 0: as often as it likes.
        clock: Seconds that only go forward.
        burst_seconds: Who was quiet may do at once what it may in so long.

    Source: the token bucket, Turner, New directions in communications, IEEE Communications Magazine, 1986.
    """

    def __init__(
        self, per_second: float, clock: Callable[[], float] = time.monotonic, *, burst_seconds: float = BURST_SECONDS
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._most = per_second * burst_seconds
        self._buckets: LRUCache[Hashable, tuple[float, float]] = LRUCache(_MAX_BUCKETS)
        self._lock = Lock()

    def wait_for(self, who: Hashable) -> float:
        """Take one from somebody's bucket; return the seconds until there is one, 0 if it was there."""
        if not self._per_second:
            return 0.0
        now = self._clock()
        with self._lock:
            filled_at, left = self._buckets.get(who, (now, self._most))
            left = min(self._most, left + (now - filled_at) * self._per_second)
            is_there = left >= 1
            self._buckets[who] = (now, left - is_there)
        return 0.0 if is_there else (1 - left) / self._per_second

    def give_back(self, who: Hashable) -> None:
        """Put back what somebody took: it is not to be counted."""
        with self._lock:
            if who in self._buckets:
                filled_at, left = self._buckets[who]
                self._buckets[who] = (filled_at, left + 1)
