"""For tests of requests that the service holds."""

import time
from collections.abc import Callable

from service.replica import Replica

LONG = 30.0
"""Seconds that no test waits."""


def waiters(replica: Replica) -> int:
    """Return how many requests a replica holds."""
    return len(replica.offers._waiting) + len(replica.changes._waiting)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.001)
