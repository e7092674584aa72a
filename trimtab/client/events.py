"""What happens in a study, as it happens."""

import time
from collections.abc import Iterator
from contextlib import closing

import httpx2
from pydantic import ValidationError

from trimtab import answers
from trimtab.client.calls import Calls
from trimtab.errors import Unavailable, Unreachable
from trimtab.events import Event, EventKind, sent, understood
from trimtab.requests import Request, study_path

SILENCE_SECONDS = 30.0
"""The service gives a sign of life every 15 s; one may go astray."""

OUTAGE_SECONDS = 60.0
"""For which a service that was there, or its database, is looked for again."""


class EventCalls(Calls):
    """What there is to be heard."""

    def events(self, name: str, last: int | None = None) -> Iterator[Event]:
        """Yield what happens in a study until it has ended or is deleted, over outages.

        It begins with the study as it is and the trials that run. Events of a study may be left out where newer ones
        say the same; each trial that ends is told once.

        Args:
            name: The study.
            last: `last` of an event that was heard before: the trials that have ended since come first.

        Raises:
            StudyNotFound: There is no such study, any more.
            Unreachable: There was no service for a minute.
            Unavailable: There was one, but its database was away.
        """
        lost_at: float | None = None
        told: Event | None = None
        while not _is_over(told, last):
            try:
                for event in self._stream(name, last):
                    lost_at = None
                    last = last if event.last is None else event.last
                    told = event if event.kind in {EventKind.STUDY, EventKind.DELETED} else told
                    yield event
            except (Unreachable, Unavailable):
                lost_at = lost_at or time.monotonic()
                if last is None or time.monotonic() - lost_at > OUTAGE_SECONDS:
                    raise
            if not _is_over(told, last):
                self._connection.rest()

    def _stream(self, name: str, last: int | None) -> Iterator[Event]:
        """Yield events until the stream ends, of itself or because it is cut off."""
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        request = Request("GET", f"{study_path(name)}/events", headers=headers, wait=SILENCE_SECONDS)
        answer = self._connection.open(request)
        answers.check(answer)
        with closing(answer):
            is_empty = True
            for event in _understood(answer):
                is_empty = False
                yield event
        if is_empty:
            raise Unreachable(f"the stream of events from {answer.url} ended before it began")


def _understood(answer: httpx2.Response) -> Iterator[Event]:
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        raise Unreachable(f"what answers at {answer.url} is no stream of events")
    try:
        for each in sent(answer.iter_lines()):
            if event := understood(each):
                yield event
    except httpx2.RequestError as error:
        raise Unreachable(f"the stream of events was cut off: {error}") from error
    except ValidationError as error:
        raise Unreachable(f"what answers at {answer.url} tells of nothing that this client understands") from error


def _is_over(told: Event | None, last: int | None) -> bool:
    """Return whether nothing is to be heard any more.

    Args:
        told: What was said last of the study as a whole.
        last: How many trials were heard to end: where a stream was cut off, some may be missing.
    """
    if told is None or told.study is None:
        return told is not None
    study = told.study
    return study.state.is_ended and study.counts.running == 0 and (last or 0) >= study.counts.finished
