"""Messages of a service, as short as they can be."""

from datetime import UTC, datetime
from typing import Any

from trimtab.budget import Budget
from trimtab.protocol import (
    BestTrial,
    Counts,
    HeldTrial,
    Lease,
    Page,
    Study,
    Token,
    Told,
    Trial,
    TrialHistory,
    Verdict,
    Worker,
)
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import Decision, Outcome, StudyState, TokenKind, TrialState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

SPEC = StudySpec(name="digits", task=TaskSpec(name="mlp"), budget=Budget(trials=40)).resolved()

LEASE = Lease(
    id="lease-7",
    fence=3,
    study="digits",
    trial=7,
    attempt=1,
    task=SPEC.task,
    params={"learning_rate": 0.01},
    seed=1,
    expires_in=30.0,
    expires_at=NOON,
)

TOKEN = Token(id="7", kind=TokenKind.WORKER, name="gpu pool", created_at=NOON)

GO_ON = Verdict(verdict=Decision.CONTINUE, recorded=True, expires_in=30.0, expires_at=NOON)

TOLD = Told(study="digits", trial=7, outcome=Outcome.COMPLETE, state=TrialState.COMPLETE)


def study(name: str = "digits", state: StudyState = StudyState.RUNNING, **counts: int) -> Study:
    spec = SPEC.model_copy(update={"name": name})
    return Study(name=name, state=state, spec=spec, counts=Counts(**counts), created_at=NOON)


def trial(number: int, **fields: Any) -> Trial:
    return Trial(**(_trial(number) | fields))


def history(number: int) -> TrialHistory:
    return TrialHistory(**_trial(number), reports=[], history=[])


def best(number: int, error: float, **fields: Any) -> BestTrial:
    shared: dict[str, Any] = {
        "study": "digits",
        "number": number,
        "state": TrialState.COMPLETE,
        "params": {"learning_rate": 0.0031, "optimizer": "adam"},
        "values": {"validation_error": error},
        "metrics": {"validation_error": error, "training_error": 0.0},
        "step": 30,
        "study_state": StudyState.RUNNING,
        "finished_trials": 12,
        "started_at": NOON,
        "completed_at": NOON,
    }
    return BestTrial(**(shared | fields))


def worker(name: str, *, is_alive: bool = True) -> Worker:
    held = [HeldTrial(study="digits", trial=7, since=NOON)]
    return Worker(name=name, device="cuda:0", is_alive=is_alive, trials=held, first_seen_at=NOON, last_seen_at=NOON)


def page(*items: Study | Token | Trial | Worker, next_: str | None = None) -> Page[Any]:
    return Page(items=list(items), next=next_)


def _trial(number: int) -> dict[str, Any]:
    return {
        "study": "digits",
        "number": number,
        "state": TrialState.RUNNING,
        "params": {"learning_rate": 0.0031},
        "values": {},
        "metrics": {},
        "attempts": 1,
    }
