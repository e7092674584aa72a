"""What clients were told, and what they were about to say: a journal that a killed process leaves whole.

One file a process, one line of JSON an entry, each written at once: what a `write` has taken no kill takes back.
"""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from trimtab.message import Metrics, Params, Scalar
from trimtab.protocol import Lease, Told, Verdict


@dataclass(frozen=True)
class Leased:
    """An ask was answered with this lease."""

    lease: int
    fence: int
    study: str
    trial: int
    attempt: int
    worker: str
    params: Params

    @classmethod
    def of(cls, lease: Lease, *, worker: str) -> Self:
        """Return the entry of a lease that `worker` was given."""
        return cls(int(lease.id), lease.fence, lease.study, lease.trial, lease.attempt, worker, lease.params)


@dataclass(frozen=True)
class Sent:
    """A report is about to be sent."""

    lease: int
    step: int
    metrics: Metrics


@dataclass(frozen=True)
class Reported:
    """A report was answered."""

    lease: int
    step: int
    metrics: Metrics
    verdict: str
    recorded: bool

    @classmethod
    def of(cls, sent: Sent, answer: Verdict) -> Self:
        """Return the entry of the answer to a report."""
        return cls(sent.lease, sent.step, sent.metrics, answer.verdict, answer.recorded)


@dataclass(frozen=True)
class Suggested:
    """A suggestion was answered with this value."""

    lease: int
    name: str
    value: Scalar


@dataclass(frozen=True)
class Ended:
    """A tell was answered: with this outcome, which left the trial in this state."""

    lease: int
    outcome: str
    state: str
    metrics: Metrics

    @classmethod
    def of(cls, lease: Lease, answer: Told, *, metrics: Metrics) -> Self:
        """Return the entry of the answer to a tell of these metrics."""
        return cls(int(lease.id), answer.outcome, answer.state, metrics)


@dataclass(frozen=True)
class Late:
    """A write was sent, at `sent_at`, by who had reason to think that the lease was over; `code`: of its answer."""

    lease: int
    call: str
    sent_at: float
    code: str


@dataclass(frozen=True)
class Surprise:
    """An answer that no client should ever get."""

    lease: int
    text: str


Entry = Leased | Sent | Reported | Suggested | Ended | Late | Surprise

_KINDS: dict[str, type[Entry]] = {
    kind.__name__: kind for kind in (Leased, Sent, Reported, Suggested, Ended, Late, Surprise)
}


class Journal:
    """The journal of one process, at `path`."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, entry: Entry) -> None:
        """Write down an entry; when this returns it outlives the process."""
        line = json.dumps({"kind": type(entry).__name__, **asdict(entry)})
        os.write(self._file, f"{line}\n".encode())


def read(folder: Path) -> Iterator[Entry]:
    """Return the entries of every journal in `folder`, one at a time."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open() as lines:
            for line in lines:
                fields = json.loads(line)
                yield _KINDS[fields.pop("kind")](**fields)


def now() -> float:
    """Return the time of day in seconds: on one machine the same clock as PostgreSQL's."""
    return time.time()
