"""Logs of trials: keep what a training writes, read it, follow it."""

import json
from collections.abc import Iterator, Sequence

from trimtab.client.calls import PAGE, Calls
from trimtab.protocol import Lease, Page
from trimtab.requests import Request, on_lease, study_path
from trimtab.trial_logs import Logged, LogLine, NewLines, readable
from trimtab.validation import built

PART_BYTES = 2**19
"""Of lines that are sent at once: half of what the service takes as one body."""

WAIT_SECONDS = 20.0
"""For which the service is asked to wait for lines, again and again."""


class TrialLogCalls(Calls):
    """What there is to do with what trainings write."""

    def keep_lines(self, lease: Lease, lines: Sequence[str], *, first: int) -> Logged:
        """Put lines on record that a training wrote; the lease is not renewed. Twice is the same as once.

        Args:
            lease: The lease.
            lines: One after the other, a thousand at most. Control characters do not go out, nor what is too long.
            first: The number of the first of them; the lease's first line is 0.

        Raises:
            LeaseLost, LeaseEnded, StudyDeleted: As for a report.
        """
        body = built(NewLines, {"first": first, "lines": tuple(map(readable, lines))})
        for part in _parts(body):
            kept = self._call(Logged, on_lease(lease, "POST", "logs", part))
        return kept

    def logs(self, name: str, number: int, *, tail: int | None = None, attempt: int | None = None) -> Iterator[LogLine]:
        """Return what the trainings of a trial wrote, in its order.

        Args:
            name: The study.
            number: Of the trial.
            tail: So many lines at the end; None: all that are kept.
            attempt: Only of this one; None: of all.

        Raises:
            StudyNotFound: There is no such study.
            TrialNotFound: It has no trial of that number.
        """
        return self._items(Page[LogLine], _path(name, number), PAGE, _asked(tail, attempt))

    def follow_logs(
        self, name: str, number: int, *, tail: int | None = None, attempt: int | None = None
    ) -> Iterator[LogLine]:
        """Yield what the trainings of a trial wrote and go on to write, until the trial has ended.

        Args:
            name: The study.
            number: Of the trial.
            tail: Begin so many lines before the end; None: with the first.
            attempt: Only of this one; None: of all.

        Raises:
            StudyNotFound, TrialNotFound: As for the logs.
        """
        asked: dict[str, str | int | float] = {**_asked(tail, attempt), "limit": PAGE, "wait": WAIT_SECONDS}
        place: str | None = ""
        while place is not None:
            query = {**asked, "cursor": place} if place else asked
            page = self._call(Page[LogLine], Request("GET", _path(name, number), query=query, wait=WAIT_SECONDS))
            yield from page.items
            place = page.next


def _parts(body: NewLines) -> Iterator[NewLines]:
    """Yield lines in bodies that are not too large; by their numbers they are the same as one."""
    first, lines, size = body.first, list[str](), 0
    for text in body.lines:
        more = len(json.dumps(text, ensure_ascii=False).encode()) + 1
        if lines and size + more > PART_BYTES:
            yield NewLines(first=first, lines=tuple(lines))
            first, lines, size = first + len(lines), [], 0
        lines.append(text)
        size += more
    yield NewLines(first=first, lines=tuple(lines))


def _path(name: str, number: int) -> str:
    return f"{study_path(name)}/trials/{int(number)}/logs"


def _asked(tail: int | None, attempt: int | None) -> dict[str, str]:
    """Return what of it is asked for."""
    return {name: str(asked) for name, asked in (("tail", tail), ("attempt", attempt)) if asked is not None}
