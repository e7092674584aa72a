"""For tests of requests that the service holds."""

import time
from collections.abc import Callable

from service.replica import Replica

LONG = 60.0
"""Seconds that no test waits; the longest that a request may ask the service to hold it."""

SOON = 45.0
"""Seconds within which whoever waits is told on any machine: fewer than LONG, so it was not the wait that ended."""


def waiters(replica: Replica) -> int:
    """Return how many requests a replica holds."""
    return len(replica.offers._waiting) + len(replica.changes._waiting)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)
