"""Calls that outlast a service that is away."""

import logging
import math
import random
import time
from collections.abc import Callable
from typing import TypeVar

from trimtab.errors import TrimtabError
from trimtab.patience import PASSING, pauses
from workers.drain import Drain

Answer = TypeVar("Answer")

_log = logging.getLogger(__name__)


def patiently(
    call: Callable[[], Answer],
    drain: Drain,
    *,
    for_seconds: float = math.inf,
    passing: tuple[type[TrimtabError], ...] = PASSING,
) -> Answer:
    """Call until the service has an answer that lasts. Of a worker that drains one more try is made.

    Raises:
        TrimtabError: What is `passing`: the last try, after so many seconds or because the worker drains. What is not:
            at once.
    """
    give_up_at = time.monotonic() + for_seconds
    for seconds in pauses(random.Random()):  # noqa: S311  # it spreads workers in time, no more
        try:
            return call()
        except passing as error:
            if drain.has_begun or time.monotonic() + seconds > give_up_at:
                raise
            said = {"seconds": seconds, "error": error}
            _log.warning("the service has no answer, trying again in %(seconds).1f s: %(error)s", said)
            drain.wait(seconds)
    raise AssertionError("there is always another pause")
