"""Bugs as they are made, planted into the service one at a time: proofs that do not find them prove nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from service import app as application
from service import lifecycle, once, prepared
from service.database import autocommit, transaction
from service.once import Once
from service.storage import (
    asks,
    audit,
    closings,
    deletions,
    endings,
    given,
    keys,
    lease_ends,
    suggestions,
    trial_logs,
)
from service.storage.keys import Key

Patch = pytest.MonkeyPatch


class Proof(StrEnum):
    """What is to find a bug. A crash point is that of a call, which the bug names."""

    CRASH_POINTS = "crash points"
    STATE_MACHINE = "state machine"
    AT_ONCE = "many at once"
    ZOMBIES = "zombies"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Bug:
    """A mistake that somebody could make.

    Args:
        plant: Makes it.
        found_by: The proof that finds it.
        complaint: A pattern of what that proof then says.
        call: The scenario whose crash points find it.
    """

    plant: Callable[[Patch], None]
    found_by: Proof
    complaint: str
    call: str = ""


def in_prepared(name: str, old: str, new: str) -> Callable[[Patch], None]:
    """Return what puts `new` for the pattern `old` in a statement that is prepared."""

    def plant(patch: Patch) -> None:
        key = f"trimtab_{name}"
        patch.setitem(prepared._statements, key, _replaced(prepared._statements[key], old, new))

    return plant


def in_statement(module: ModuleType, name: str, old: str, new: str) -> Callable[[Patch], None]:
    """Return what puts `new` for the pattern `old` in a statement of a module."""
    return lambda patch: patch.setattr(module, name, sa.text(_replaced(getattr(module, name).text, old, new)))


def commit_after(module: ModuleType, name: str) -> Callable[[Patch], None]:
    """Return what breaks a transaction in two after a function of a module."""

    def plant(patch: Patch) -> None:
        whole = getattr(module, name)

        def broken(connection: sa.Connection, *args: Any, **named: Any) -> Any:
            found = whole(connection, *args, **named)
            driver = connection.connection.driver_connection
            assert driver
            driver.commit()
            return found

        patch.setattr(module, name, broken)

    return plant


def _replaced(sql: str, old: str, new: str) -> str:
    found, count = re.subn(old, new, sql)
    assert count == 1, f"{old} is {count} times in {sql}"
    return found


def _claim_every_key(patch: Patch) -> None:
    claim = keys.claim
    patch.setattr(keys, "claim", lambda connection, key: claim(connection, key) or True)


def _keep_answers_apart(patch: Patch) -> None:
    def keep(connection: sa.Connection, key: Key, **answer: Any) -> None:
        with transaction(connection.engine) as own:
            claim(own, key)
            whole(own, key, **answer)

    claim, whole = keys.claim, keys.keep
    patch.setattr(keys, "claim", lambda connection, key: keys.find(connection, key) is None)
    patch.setattr(keys, "keep", keep)


def _commit_each_statement(patch: Patch) -> None:
    @contextmanager
    def broken(self: Once, engine: sa.Engine) -> Iterator[sa.Connection]:
        with autocommit(engine) as connection:
            if self._key:
                self._claim(connection, self._key)
            yield connection

    patch.setattr(Once, "transaction", broken)


_to_commit: ContextVar[list[sa.Connection]] = ContextVar("_to_commit")


def _commit_after_the_answer(patch: Patch) -> None:
    @contextmanager
    def broken(engine: sa.Engine) -> Iterator[sa.Connection]:
        connection = engine.connect()
        connection.begin()
        yield connection
        _to_commit.get().append(connection)

    def create_app(*args: Any) -> FastAPI:
        app = application.create_app(*args)
        app.add_middleware(_CommitsLate)
        return app

    patch.setattr(once, "transaction", broken)
    patch.setattr("tests.reliability.trying.create_app", create_app)


class _CommitsLate:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _to_commit.set([])
        await self._app(scope, receive, send)
        for connection in _to_commit.get():
            connection.commit()
            connection.close()


def _note_apart(patch: Patch) -> None:
    def note(connection: sa.Connection, *args: Any, **details: Any) -> None:
        with transaction(connection.engine) as own:
            whole(own, *args, **details)

    whole = audit.note
    patch.setattr(audit, "note", note)


def _give_stopped_trials_again(patch: Patch) -> None:
    whole = lifecycle.ending_by_silence
    patch.setattr(
        lifecycle,
        "ending_by_silence",
        lambda closed, spec, losses: whole(replace(closed, stop_reason=None), spec, losses),
    )


def _create_while_closing(patch: Patch) -> None:
    for name in ("candidates", "create"):
        in_prepared(name, "AND closing IS NULL", "")(patch)


def _report_beyond_the_epochs(patch: Patch) -> None:
    in_prepared("record", r"AND coalesce\(epochs_used < epochs, true\)", "")(patch)
    in_prepared("look", r"s\.epochs_used >= s\.epochs", "false")(patch)


_HAS_ENDED = r"ended_at IS NULL AND"
_HAS_RUN_OUT = r"AND expires_at > clock_timestamp\(\)"
_FENCE = r"fence = (\$\d+)"
_ANY_FENCE = r"(fence = \1 OR true)"

BUGS = {
    "a report does not look at the fence": Bug(
        in_prepared("record", _FENCE, _ANY_FENCE), Proof.ZOMBIES, "of another fence: report through"
    ),
    "a report does not look whether the lease has ended": Bug(
        in_prepared("record", _HAS_ENDED, ""), Proof.ZOMBIES, "told complete: report through"
    ),
    "a report does not look whether the lease has run out": Bug(
        in_prepared("record", _HAS_RUN_OUT, ""), Proof.ZOMBIES, "run out: report through"
    ),
    "a heartbeat does not look at the fence": Bug(
        in_prepared("renew", _FENCE, _ANY_FENCE), Proof.ZOMBIES, "of another fence: heartbeat through"
    ),
    "a heartbeat does not look whether the lease has run out": Bug(
        in_prepared("renew", _HAS_RUN_OUT, ""), Proof.ZOMBIES, "run out: heartbeat through"
    ),
    "lines are kept whatever the fence": Bug(
        in_statement(trial_logs, "_KEEP", "fence = :fence", "(fence = :fence OR true)"),
        Proof.ZOMBIES,
        "of another fence: lines through",
    ),
    "a suggestion does not look at the fence": Bug(
        in_prepared("take", _FENCE, _ANY_FENCE), Proof.ZOMBIES, "of another fence: suggestion through"
    ),
    "a suggestion does not look whether the lease has run out": Bug(
        in_prepared("take", _HAS_RUN_OUT, ""), Proof.ZOMBIES, "run out: suggestion through"
    ),
    "an attribute is kept whatever the fence": Bug(
        in_statement(suggestions, "_KEEP_ATTRIBUTE", "fence = :fence", "(fence = :fence OR true)"),
        Proof.ZOMBIES,
        "of another fence: attribute through",
    ),
    "a value is committed before the space that it lies in": Bug(
        commit_after(suggestions, "take"),
        Proof.CRASH_POINTS,
        "which its study does not search|studies: ",
        "suggest what no trial asked for",
    ),
    "a tell does not look at the fence": Bug(
        in_prepared("close_told", _FENCE, _ANY_FENCE), Proof.ZOMBIES, "of another fence: tell through"
    ),
    "a tell does not look whether the lease has ended": Bug(
        in_prepared("close_told", _HAS_ENDED, ""), Proof.STATE_MACHINE, "counters|counted as|state and trials|best"
    ),
    "a verdict is worked out again": Bug(
        in_prepared("look", r"r\.verdict", "CASE WHEN r.verdict IS NOT NULL THEN 'continue' END AS verdict"),
        Proof.CRASH_POINTS,
        "answered .*'continue'.* not .*'stop'",
        "report and be stopped",
    ),
    "lost attempts are not counted": Bug(
        in_statement(endings, "_REQUEUE", r"lost \+ :lost", "lost + 0 * :lost"), Proof.STATE_MACHINE, "counted as 0"
    ),
    "a stopped trial is given again when its worker falls silent": Bug(
        _give_stopped_trials_again, Proof.AUDITOR, "told to stop, and there is a newer one"
    ),
    "the curve of a lost attempt is left": Bug(
        in_statement(asks, "_LEASE_WAITING", r"i\.step > start\.step", "false"),
        Proof.CRASH_POINTS,
        "its curve at step 2 is not what",
        "ask for a trial that waits",
    ),
    "the budget is looked at outside the lock": Bug(
        in_prepared("create", "AND created < budget", ""), Proof.AT_ONCE, "ck_trimtab_studies_counters"
    ),
    "a report does not look at the epochs": Bug(
        _report_beyond_the_epochs, Proof.CRASH_POINTS, "2 epochs of 1, counted as 2", "report beyond the epochs"
    ),
    "reports are not counted as epochs": Bug(
        in_prepared("record", r"epochs_used \+ 1", "epochs_used"),
        Proof.CRASH_POINTS,
        "2 epochs of 2, counted as 0",
        "report the last epoch",
    ),
    "a study that comes to its end hands out trials": Bug(
        _create_while_closing, Proof.CRASH_POINTS, "was not told to stop", "ask a study that comes to its end"
    ),
    "who runs is not told that the study comes to its end": Bug(
        in_statement(closings, "_STOP_ALL", "AND stop_reason IS NULL", "AND false"),
        Proof.CRASH_POINTS,
        "was not told to stop",
        "tell what meets the target",
    ),
    "added trials are counted by the budget": Bug(
        in_statement(given, "_COUNT", r"added \+ :count", "added + 0 * :count"),
        Proof.CRASH_POINTS,
        "3 trials, counted as 2 and 0 added",
        "add a finished trial",
    ),
    "a key that was used is taken again": Bug(
        _claim_every_key, Proof.CRASH_POINTS, r"answered \(200.* not \(201", "create study"
    ),
    "an answer is kept in a transaction of its own": Bug(
        _keep_answers_apart, Proof.CRASH_POINTS, r"studies: \[.* not \[", "ask"
    ),
    "each statement is committed by itself": Bug(
        _commit_each_statement, Proof.CRASH_POINTS, "claim_key.* not .*'leases'", "ask for three"
    ),
    "a second transaction in ask": Bug(
        commit_after(asks, "create_trial"), Proof.CRASH_POINTS, "COMMIT: .* not .*'leases'", "ask"
    ),
    "a second transaction in tell": Bug(
        commit_after(lease_ends, "close_told"), Proof.CRASH_POINTS, r"COMMIT: studies: \[", "tell complete"
    ),
    "a commit after the answer": Bug(
        _commit_after_the_answer, Proof.CRASH_POINTS, r"after the answer: \['COMMIT'\]", "create study"
    ),
    "a change is noted in a transaction of its own": Bug(
        _note_apart, Proof.CRASH_POINTS, r"audit: \[|studies: \[", "delete study"
    ),
    "a change is committed before it is noted": Bug(
        commit_after(deletions, "delete"), Proof.CRASH_POINTS, r"COMMIT: audit: \[", "delete study"
    ),
    "leases of a deleted study are forgotten": Bug(
        in_statement(deletions, "_BURY", r"\(ended_at IS NULL OR", "(false AND ended_at IS NULL AND"),
        Proof.STATE_MACHINE,
        "LeaseNotFound, not StudyDeleted",
    ),
}
