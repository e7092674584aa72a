"""What clients, workers and the service say to each other: ask, report, tell, and the answers to readers."""

from datetime import datetime
from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field, StringConstraints, model_validator

from trimtab.budget import Budget, Limits
from trimtab.data import Sha256
from trimtab.message import (
    MAX_PARAMETERS,
    Array,
    Lax,
    Message,
    Metrics,
    ParamName,
    Params,
    Step,
    StudyName,
    TaskName,
    Text,
    WorkerName,
    invalid,
)
from trimtab.space import Bounds, Space
from trimtab.states import ALIKE, Decision, NoLease, Origin, Outcome, Purpose, StudyState, TokenKind, TrialState
from trimtab.study import StudySpec, TaskSpec

MAX_LEASES = 256
MAX_WAIT_SECONDS = 60.0
MAX_REPORTS = 1024
SHA256 = r"^[0-9a-f]{64}$"

Item = TypeVar("Item")
Label = Annotated[Text, Field(max_length=200)]
Fence = Annotated[int, Field(ge=1, lt=2**31)]
Wait = Annotated[float, Field(ge=0, le=MAX_WAIT_SECONDS)]


class Page(Message, Generic[Item]):
    """A part of a list, and where the rest begins: None at its end."""

    items: list[Item]
    next: str | None = None


# -- the worker's verbs ---------------------------------------------------------------------------------


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
    """

    worker: WorkerName
    tasks: Annotated[tuple[TaskName, ...], Array, Field(max_length=256)] = ()
    study: StudyName | None = None
    count: Annotated[int, Field(ge=1, le=MAX_LEASES)] = 1
    wait: Wait = 0.0
    host: Label | None = None
    device: Label | None = None
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


class FieldProblem(Message):
    """What is wrong with one field of a request, by its dotted path."""

    field: str
    message: str


class Problem(Message):
    """An error on the wire (RFC 9457) with a stable `code`; `errors` names the fields at fault."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[FieldProblem, ...] = ()


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


# -- what readers see -----------------------------------------------------------------------------------


class Counts(Message):
    """Trials of a study by state."""

    waiting: int = 0
    running: int = 0
    complete: int = 0
    pruned: int = 0
    fail: int = 0

    @property
    def finished(self) -> int:
        """Trials that have reached their end."""
        return self.complete + self.pruned + self.fail


class Alarm(Message):
    """Something about a study that somebody should look at.

    Args:
        code: `best_on_bound`: the best value of a parameter lies within a hundredth of its range from one of its ends,
            so that there may be better ones beyond.
        parameter: Which.
        side: At which end.
        value: The best.
        text: All of it in words.
    """

    code: Literal["best_on_bound"]
    parameter: str
    side: Literal["low", "high"]
    value: float
    text: str


class Round(Message):
    """A round of a study that goes from coarse to fine.

    Args:
        round: From 0.
        space: What is searched in it; each value of a list is a parameter of its own.
        alarms: What was noticed when its space was settled.
        first_number: Of its trials.
    """

    round: int
    space: Space
    alarms: list[Alarm]
    first_number: int
    created_at: datetime


class Used(Message):
    """What a study has used of its budget.

    Args:
        trials: That exist, of those that it counts.
        epochs: Reports recorded; None where it does not limit them.
        seconds: From the first lease until now, or until the study ended; None: there was none.
        device_seconds: Of all leases together, live ones until now.
    """

    trials: int
    epochs: int | None = None
    seconds: float | None = None
    device_seconds: float = 0.0


class ChosenSampler(Message):
    """What chooses the params of a study.

    Args:
        name: A sampler; never `auto`.
        reason: Why it was chosen, where the study left that to the service.
    """

    name: str
    reason: str | None = None


class Study(Message):
    """A study as it is.

    Args:
        spec: What it was asked to be, with every default filled in; its budget and limits as they are now.
        reason: Why it is in its state, where there is more to say.
        sampler: What chooses its params.
        added: Trials among them that came already finished: the budget does not count them.
        alarms: What somebody should look at.
        used: Of its budget.
        closing: Why it comes to its end, while some of its trials have not: no more are handed out.
        warnings: What whoever asked for it should know, such as that it may never end.
        purpose: What it is for.
        parent: The study that it follows; None: none, or one that was deleted.
        children: The studies that follow it.
        completed_at: When it ended; None before.
    """

    name: StudyName
    state: Annotated[StudyState, Lax]
    reason: str | None = None
    spec: StudySpec
    sampler: ChosenSampler | None = None
    counts: Counts
    added: int = 0
    alarms: list[Alarm] = Field(default_factory=list)
    used: Used = Used(trials=0)
    closing: str | None = None
    warnings: list[str] = Field(default_factory=list)
    purpose: Annotated[Purpose, Lax] = Purpose.SEARCH
    parent: StudyName | None = None
    children: list[StudyName] = Field(default_factory=list)
    created_at: datetime
    completed_at: datetime | None = None


class StudyChange(Message):
    """What is to be otherwise in a study. What is left out, or null, stays as it is.

    Args:
        state: `paused`: no trial is handed out until it is `running` again. `stopped`: likewise, and whoever waits for
            the study's end has it. Trials that run may come to their end.
        budget: Of its limits those that are given; null takes one away. A larger one reopens a study that is complete.
        limits: Of an attempt for leases given from now on, of a step from each lease's next report on. A limit that is
            left out stays as it is; null takes it away, or gives a study with a task the hour a step that is its own.
        space: Other bounds of numbers that are searched. Trials outside them are kept, and teach the sampler nothing.
    """

    state: Literal["paused", "running", "stopped"] | None = None
    budget: Budget | None = None
    limits: Limits | None = None
    space: Annotated[dict[ParamName, Bounds], Field(min_length=1, max_length=MAX_PARAMETERS)] | None = None


class Trial(Message):
    """A trial as it is.

    Args:
        values: The final figure of each objective; for a pruned trial its last one; empty before.
        metrics: All final figures.
        step: The step that they belong to; while it runs, the last one reported.
        attempts: Leases that it has had.
        is_feasible: Whether it keeps the constraints; None where there are none, or it is not known.
        outcome: How its last lease ended; None while it lives.
        reason: Why it was stopped or failed.
        worker: Who had it last.
        fallback: Why its params are random ones, where the sampler gave none.
        origin: Who chose its params.
        split: SHA-256 of which examples trained, validated and were kept for the test, as its last worker told: the
            same for all trials of a study. None: none was told.
    """

    study: StudyName
    number: int
    state: Annotated[TrialState, Lax]
    params: Params
    values: Metrics
    metrics: Metrics
    step: int | None = None
    attempts: int
    is_feasible: bool | None = None
    outcome: Annotated[Outcome, Lax] | None = None
    reason: str | None = None
    worker: str | None = None
    fallback: str | None = None
    origin: Annotated[Origin, Lax] = Origin.SAMPLED
    split: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None


class RecordedReport(Message):
    """A report as it was stored, with the verdict that it got."""

    attempt: int
    step: int
    metrics: Metrics
    verdict: Annotated[Decision, Lax]
    reason: str | None = None
    reported_at: datetime


class Attempt(Message):
    """One lease of a trial.

    Args:
        outcome: How it ended; None while it lives.
        message: Why, where there is more to say.
        seconds: From its beginning to its end; None while it lives.
    """

    fence: int
    attempt: int
    worker: str
    host: str | None = None
    device: str | None = None
    outcome: Annotated[Outcome, Lax] | None = None
    message: str | None = None
    leased_at: datetime
    ended_at: datetime | None = None
    seconds: float | None = None


class TrialHistory(Trial):
    """A trial with every report and every attempt."""

    reports: list[RecordedReport]
    history: list[Attempt]


class BestTrial(Message):
    """The best complete trial of a study so far, or one of those of which none is better than another."""

    study: StudyName
    number: int
    state: Annotated[TrialState, Lax]
    params: Params
    values: Metrics
    metrics: Metrics
    step: int | None = None
    study_state: Annotated[StudyState, Lax]
    finished_trials: int
    started_at: datetime
    completed_at: datetime


class HeldTrial(Message):
    """A trial that a worker is on."""

    study: StudyName
    trial: int
    since: datetime


class Worker(Message):
    """A worker that has asked for trials.

    Args:
        is_alive: Whether it was seen within the time that a lease lives, or is waiting for a trial.
        trials: What it is doing.
    """

    name: str
    host: str | None = None
    device: str | None = None
    is_alive: bool
    trials: list[HeldTrial]
    first_seen_at: datetime
    last_seen_at: datetime


class NewToken(Message):
    """A token that is asked for.

    Args:
        kind: What its holder may do.
        name: For people.
    """

    kind: Annotated[TokenKind, Lax]
    name: Annotated[Text, Field(min_length=1, max_length=200)]


class Token(Message):
    """A token, without the token itself.

    Args:
        id: Names it where it is revoked.
        revoked_at: None: it is valid.
    """

    id: str
    kind: Annotated[TokenKind, Lax]
    name: str
    created_at: datetime
    revoked_at: datetime | None = None


class MadeToken(Token):
    """A token that was just made. `token` is shown this once and kept nowhere."""

    token: str


class Health(Message):
    """The service is well."""

    status: str
