"""Whether to send a request again, and how long to wait before."""

from collections.abc import Callable

TRIES = 5
"""Of one request. With the pauses below a service that is away is noticed within 3 s."""

FIRST_PAUSE_SECONDS = 0.2
"""The longest first pause; each next one may be twice as long."""

LONGEST_RETRY_AFTER_SECONDS = 10
"""Whoever is asked to stay away for longer gives up instead."""

_NOT_NOW = frozenset({429, 502, 503, 504})
_IN_PROGRESS = 409  # Of its kind only `in_progress` has a Retry-After.


def is_worthwhile(status: int, retry_after: int | None) -> bool:
    """Return whether an answer says that the same request may succeed in a moment.

    Args:
        status: Of HTTP.
        retry_after: The least that the service asks to stay away, in seconds; None: it does not say.
    """
    return status in _NOT_NOW or (status == _IN_PROGRESS and retry_after is not None)


def pause(failed: int, retry_after: int | None, *, chance: Callable[[], float]) -> float | None:
    """Return how long to wait after so many failed tries, in seconds; None: it is time to give up.

    Args:
        failed: Tries so far, all of them failed.
        retry_after: The least that the service asks for, in seconds.
        chance: Draws from [0, 1). Full jitter: those who failed together come back one by one.

    Source: Brooker, Exponential backoff and jitter, AWS Architecture Blog, 2015.
    """
    least = retry_after or 0
    if failed >= TRIES or least > LONGEST_RETRY_AFTER_SECONDS:
        return None
    return least + chance() * FIRST_PAUSE_SECONDS * 2.0 ** (failed - 1)
