"""What a worker and the service say to each other: ask, report, tell."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from trimtab.budget import Limits
from trimtab.data import Sha256
from trimtab.message import Array, Lax, Message, Metrics, Params, Step, StudyName, TaskName, Text, WorkerName, invalid
from trimtab.protocol.problems import Problem
from trimtab.protocol.workers import DeviceMemory
from trimtab.spec import TaskSpec
from trimtab.states import ALIKE, Decision, NoLease, Outcome, Purpose, TrialState

MAX_LEASES = 256
MAX_WAIT_SECONDS = 60.0
MAX_REPORTS = 1024
SHA256 = r"^[0-9a-f]{64}$"

Label = Annotated[Text, Field(max_length=200)]
Fence = Annotated[int, Field(ge=1, lt=2**31)]
Wait = Annotated[float, Field(ge=0, le=MAX_WAIT_SECONDS)]


class Ask(Message):
    """A worker wants trials.

    Args:
        worker: Who asks.
        tasks: The tasks that it can train. Empty: only studies without a task, unless `study` is named.
        study: Only trials of this study.
        count: How many leases at most.
        wait: Seconds to wait for a trial where there is none now.
        host: The machine that the worker runs on, for people.
        device: What it trains on, for people.
        purposes: Only trials of these, unless `study` is named. By default those that are all trained alike.
        device_memory: Of that device, as far as it is known.
    """

    worker: WorkerName
    tasks: Annotated[tuple[TaskName, ...], Array, Field(max_length=256)] = ()
    study: StudyName | None = None
    count: Annotated[int, Field(ge=1, le=MAX_LEASES)] = 1
    wait: Wait = 0.0
    host: Label | None = None
    device: Label | None = None
    device_memory: DeviceMemory | None = None
    purposes: Annotated[tuple[Annotated[Purpose, Lax], ...], Array, Field(min_length=1, max_length=16)] = ALIKE


class Checkpoint(Message):
    """The state of a training after a step, as a file.

    Args:
        step: The step after which it was written.
        sha256: Of the file, in hexadecimal.
        size: Of the file, in bytes.
    """

    step: Step
    sha256: Annotated[str, StringConstraints(pattern=SHA256)]
    size: Annotated[int, Field(ge=1)]


class Lease(Message):
    """A worker's right to a trial until a time.

    Args:
        id: Names the lease in every call on it.
        fence: Grows with each lease of the trial; every call on the lease carries it.
        attempt: Counts the leases of the trial that were lost with their worker, plus one.
        params: The point to train.
        seed: All the randomness of the training.
        expires_in: Seconds that the lease lives without a sign of its worker.
        expires_at: The same as a time of the server's clock, for people.
        limits: How long the attempt may take.
        checkpoint: Where to go on; None: from the start.
        purpose: What the trial is for; but for `check` and `final` it is trained alike.
    """

    id: str
    fence: int
    study: StudyName
    trial: int
    attempt: int
    task: TaskSpec | None
    params: Params
    seed: int
    expires_in: float
    expires_at: datetime
    limits: Limits = Limits()
    checkpoint: Checkpoint | None = None
    purpose: Annotated[Purpose, Lax] = Purpose.SEARCH


class Leases(Message):
    """The answer to an ask; `reason` says why it is empty."""

    leases: list[Lease]
    reason: Annotated[NoLease, Lax] | None = None


class Report(Message):
    """The measurements at one step. A metric may be None: it is not finite."""

    step: Step
    metrics: Annotated[Metrics, Field(min_length=1)]


class LeaseReport(Report):
    """A report that says which lease it belongs to, as one of many in a request."""

    lease: str
    fence: Fence


class LeaseReports(Message):
    """Reports on many leases in one request."""

    reports: Annotated[tuple[LeaseReport, ...], Array, Field(min_length=1, max_length=MAX_REPORTS)]


class Verdict(Message):
    """The answer to a report or a heartbeat.

    Args:
        verdict: Whether to go on.
        reason: Why to stop, in words.
        recorded: Whether the report was stored; after a stop nothing is.
        expires_in: Seconds that the lease lives from now.
        expires_at: The same as a time of the server's clock.
    """

    verdict: Annotated[Decision, Lax]
    reason: str | None = None
    recorded: bool
    expires_in: float
    expires_at: datetime


class Verdicts(Message):
    """The answers to many reports, in their order."""

    results: list[Verdict | Problem]


class Tell(Message):
    """How a lease ended.

    Args:
        outcome: What happened. `complete` needs the metric of each objective.
        metrics: The final figures: those of the weights that were kept.
        step: The step that they belong to; by default the last one reported.
        message: What went wrong, for people.
        split: SHA-256 of which examples, of what data, trained, validated and were kept for the test.
    """

    outcome: Annotated[Outcome, Lax]
    metrics: Metrics = Field(default_factory=dict)
    step: Step | None = None
    message: Text | None = None
    split: Sha256 | None = None

    @model_validator(mode="after")
    def _is_for_workers(self) -> Self:
        if self.outcome is Outcome.LOST:
            raise invalid("outcome", "is for the service to find: a lease is lost when it runs out")
        return self


class Told(Message):
    """What became of the trial."""

    study: StudyName
    trial: int
    outcome: Annotated[Outcome, Lax]
    state: Annotated[TrialState, Lax]
