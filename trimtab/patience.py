"""Calls that outlast a service that is away: a training must not end for that."""

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from trimtab.errors import InProgress, TooManyRequests, Unavailable, Unreachable

PASSING = (Unreachable, Unavailable, InProgress, TooManyRequests)
"""What is no answer, or none that lasts: the same call may succeed later."""

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
"""A worker is back at work this long after its service at most."""

Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)


def patiently(
    call: Callable[[], Answer],
    *,
    deadline: float = math.inf,
    sleep: Callable[[float], object] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> Answer:
    """Call until the service has an answer that lasts, however long that takes.

    Args:
        call: To the service.
        deadline: By the clock; there is no waiting beyond it, and what was heard last is raised.
        sleep: Waits, in seconds.
        clock: In seconds.
    """
    for seconds in pauses(random.Random()):  # noqa: S311  # it spreads callers in time, no more
        try:
            return call()
        except PASSING as error:
            if clock() + seconds >= deadline:
                raise
            said = {"seconds": seconds, "error": error}
            _log.warning("the service has no answer, trying again in %(seconds).1f s: %(error)s", said)
            sleep(seconds)
    raise AssertionError("there is always another pause")


def pauses(chance: random.Random) -> Iterator[float]:
    """Yield how long to wait before each next try, in seconds, without end: twice as long each time, give or take."""
    seconds = FIRST_PAUSE_SECONDS
    while True:
        yield seconds * chance.uniform(0.5, 1.0)
        seconds = min(2 * seconds, LONGEST_PAUSE_SECONDS)
