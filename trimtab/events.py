"""What happens in a study, as it happens: messages, and how they go over the wire as server-sent events.

event: trial                  the study, a trial, a report of one that runs, or that the study is gone
id: 41                        how many trials have ended, where the stream may be taken up again
data: {"study": "digits", …}
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from trimtab.message import Lax, Message, Metrics, Step
from trimtab.protocol import Study, Trial
from trimtab.states import Decision


class EventKind(StrEnum):
    """What an event tells of.

    study     the study: when the stream begins, and whenever its state or counts have changed
    trial     a trial: when it begins to run, and when it has ended
    report    a report of a trial that runs; of very many at once the newest
    deleted   the study is gone
    """

    STUDY = "study"
    TRIAL = "trial"
    REPORT = "report"
    DELETED = "deleted"


class TrialReport(Message):
    """A report of a trial that runs.

    Args:
        number: Of the trial.
        attempt: Likewise.
        step: What it reported on.
        metrics: Its measurements.
        verdict: What it heard.
    """

    number: int
    attempt: int
    step: Step
    metrics: Metrics
    verdict: Annotated[Decision, Lax]


class Event(Message):
    """Something that happened in a study; of `study`, `trial` and `report` the one that is meant is given.

    Args:
        kind: What it tells of.
        last: Where to take the stream up again after it; None: where it was before.
        study: As it is.
        trial: As it is.
        report: Of a trial that runs.
    """

    kind: Annotated[EventKind, Lax]
    last: int | None = None
    study: Study | None = None
    trial: Trial | None = None
    report: TrialReport | None = None


@dataclass(frozen=True)
class Sent:
    """A server-sent event.

    Args:
        name: Its type.
        data: What it says.
        last: Its id; None: it has none.
    """

    name: str
    data: str
    last: str | None = None

    @property
    def text(self) -> str:
        """The event as it goes over the wire. Its data are one line: JSON without characters beyond ASCII."""
        lines = [f"event: {self.name}", *([] if self.last is None else [f"id: {self.last}"]), f"data: {self.data}"]
        return "\n".join([*lines, "", ""])


def sent(lines: Iterable[str]) -> Iterator[Sent]:
    """Yield the events of a stream of lines. Source: HTML, section 9.2.6, as far as our service makes use of it."""
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        if name:
            fields[name] = value.removeprefix(" ")
        elif not line:
            if "data" in fields:
                yield Sent(fields.get("event", "message"), fields["data"], fields.get("id"))
            fields = {}


def understood(sent: Sent) -> Event | None:
    """Return what an event says; None: it is of a kind that a later service may have.

    Raises:
        ValueError: It says nothing that a service says.
    """
    if sent.name not in set(EventKind):
        return None
    kind = EventKind(sent.name)
    last = int(sent.last) if sent.last else None
    match kind:
        case EventKind.STUDY:
            return Event(kind=kind, last=last, study=Study.model_validate_json(sent.data, extra="ignore"))
        case EventKind.TRIAL:
            return Event(kind=kind, last=last, trial=Trial.model_validate_json(sent.data, extra="ignore"))
        case EventKind.REPORT:
            return Event(kind=kind, last=last, report=TrialReport.model_validate_json(sent.data, extra="ignore"))
        case EventKind.DELETED:
            return Event(kind=kind, last=last)
