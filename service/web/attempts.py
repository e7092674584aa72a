"""The attempts of a trial on one line of time. Decisions on values only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from trimtab.protocol import Attempt

_NARROWEST = 0.5
"""Per cent of the line: what took no time is seen too."""


@dataclass(frozen=True)
class Bar:
    """When an attempt was.

    Args:
        attempt: Which.
        start: In per cent of the time from the first one's beginning to the last one's end.
        width: Likewise.
        seconds: That it took, or has taken so far.
    """

    attempt: Attempt
    start: float
    width: float
    seconds: float


def bars(attempts: Sequence[Attempt], *, now: datetime) -> list[Bar]:
    """Return the attempts of a trial, each with its place in time."""
    if not attempts:
        return []
    first = attempts[0].leased_at
    whole = max((each.ended_at or now) - first for each in attempts).total_seconds() or 1.0
    return [_bar(each, first, whole, now) for each in attempts]


def _bar(attempt: Attempt, first: datetime, whole: float, now: datetime) -> Bar:
    seconds = ((attempt.ended_at or now) - attempt.leased_at).total_seconds()
    width = min(100.0, max(_NARROWEST, 100 * seconds / whole))
    start = min(100 * (attempt.leased_at - first).total_seconds() / whole, 100 - width)
    return Bar(attempt, round(max(0.0, start), 2), round(width, 2), seconds)
