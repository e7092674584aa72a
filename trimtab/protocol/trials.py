"""What readers see of a trial."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from trimtab.message import Lax, Message, Metrics, Params, StudyName
from trimtab.states import Decision, Origin, Outcome, StudyState, TrialState


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
        user_attributes: What it left on record of itself.
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
    user_attributes: dict[str, JsonValue] = Field(default_factory=dict)
    started_at: datetime | None = None
    completed_at: datetime | None = None

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        yield from _glance(self)


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
        start_step: The step of the checkpoint that it went on from; 0: it began at the first step.
        last_step: The last one that it reported; before its first report, where it began.
        expires_at: Until when it lives without a sign of its worker; None once it has ended.
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
    start_step: int = 0
    last_step: int = 0
    expires_at: datetime | None = None


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

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        yield from _glance(self)


def _glance(trial: Trial | BestTrial) -> Iterator[tuple[str, object]]:
    """Yield what one line says of a trial: its reports, of which there may be very many, are read by their name."""
    yield from {"study": trial.study, "number": trial.number, "state": str(trial.state)}.items()
    yield from {"values": trial.values, "params": trial.params}.items()
