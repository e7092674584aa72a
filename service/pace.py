"""How many requests a token may make: a bucket that fills steadily, and that each request takes one from."""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

BURST_SECONDS = 2.0
"""Who was quiet may make the requests of so long at once."""

_MAX_BUCKETS = 4096


class Pace:
    """Counts the requests of each token, in this replica.

    Args:
        per_second: Requests that a token may make for ever; 0: as many as it likes.
        clock: Seconds that only go forward.

    Source: the token bucket, Turner, New directions in communications, IEEE Communications Magazine, 1986.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._buckets: OrderedDict[int | None, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait_for(self, token_id: int | None) -> float:
        """Take one request of a token; return the seconds until there is one, 0 if it was there."""
        if not self._per_second:
            return 0.0
        now, most = self._clock(), self._per_second * BURST_SECONDS
        with self._lock:
            filled_at, left = self._buckets.get(token_id, (now, most))
            left = min(most, left + (now - filled_at) * self._per_second)
            is_there = left >= 1
            self._buckets[token_id] = (now, left - is_there)
            self._buckets.move_to_end(token_id)
            while len(self._buckets) > _MAX_BUCKETS:
                self._buckets.popitem(last=False)
        return 0.0 if is_there else (1 - left) / self._per_second
