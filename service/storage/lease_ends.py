"""The end of a lease in the database. Within one transaction, for what locks the study first.

lock_study -> close_told or close_over -> requeue or finish
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.leases import LIVE, Reference, report_at
from service.storage.limits import IS_OVERDUE, OVER_AT
from service.storage.liveness import IS_FRESH
from trimtab.message import Metrics
from trimtab.protocol import Tell
from trimtab.states import Outcome


@dataclass(frozen=True)
class ClosedLease:
    """A lease that was just ended.

    Args:
        outcome: How it ended.
        message: Why, in words; None where there is nothing to say.
        lost: Leases of this trial that ran out before.
        last_step: The last step reported; None if none was.
        last_metrics: What was reported there.
    """

    trial_id: int
    number: int
    outcome: Outcome
    message: str | None
    lost: int
    stop_reason: str | None
    last_step: int | None
    last_metrics: Metrics


@dataclass(frozen=True)
class Loss:
    """A lease that ran out: who had it, where, and when there was a last sign of them."""

    worker: str
    host: str | None
    last_seen_at: datetime


_CLOSE = """
    WITH lease AS (
      UPDATE trimtab_leases
      SET outcome = {outcome}, message = {message}, told = {told}, ended_at = clock_timestamp()
      WHERE {guard}
      RETURNING lease_id, trial_id, study_id, worker, leased_at, renewed_at, ended_at, outcome, message, stop_reason,
        nullif(last_step, 0) AS last_step
    ), used AS (
      UPDATE trimtab_studies s SET
        device_seconds_used = device_seconds_used + extract(epoch FROM lease.ended_at - lease.leased_at)
      FROM lease WHERE s.study_id = lease.study_id
    ){also}
    SELECT trial_id, number, lease.outcome, message, lost, stop_reason, last_step,
      coalesce(r.metrics, '{{}}') AS last_metrics
    FROM lease
    JOIN trimtab_trials USING (trial_id)
    LEFT JOIN LATERAL ({last_report}) AS r ON true
"""


# A worker that falls silent was last seen when it last renewed a lease.
_SEEN_LAST = """, seen AS (
      UPDATE trimtab_workers SET last_seen_at = greatest(last_seen_at, lease.renewed_at) FROM lease
      WHERE name = lease.worker
    )
"""


_LAST_REPORT = report_at("lease.last_step", "lease.trial_id")


# Whoever tells is there.
_SEEN = """, seen AS (
      UPDATE trimtab_workers SET last_seen_at = clock_timestamp() FROM lease WHERE name = lease.worker
    )
"""


_CLOSE_TOLD = prepared(
    "close_told",
    _CLOSE.format(
        outcome=":outcome",
        message=":message",
        told="CAST(:told AS json)",
        guard=LIVE,
        also=_SEEN,
        last_report=_LAST_REPORT,
    ),
)


_SILENCE = f"""
    CASE WHEN {IS_OVERDUE} THEN
      CASE WHEN due_at = trial_due_at THEN 'the attempt took longer than limits.trial_seconds'
           ELSE 'a step took longer than limits.step_seconds' END || ', and its worker did not end it'
    ELSE 'no sign of its worker for ' || round(extract(epoch FROM clock_timestamp() - renewed_at)) || ' s' END
"""


_CLOSE_OVER = sa.text(
    _CLOSE.format(
        outcome=f"CASE WHEN {IS_OVERDUE} THEN '{Outcome.TIMEOUT}' ELSE '{Outcome.LOST}' END",
        message=_SILENCE,
        told="NULL",
        guard=f"lease_id = :lease_id AND ended_at IS NULL AND {OVER_AT} <= clock_timestamp() AND {IS_FRESH}",
        also=_SEEN_LAST,
        last_report=_LAST_REPORT,
    )
)


_LOSSES = sa.text("""
    SELECT worker, host, renewed_at AS last_seen_at FROM trimtab_leases
    WHERE trial_id = :trial_id AND outcome = 'lost' ORDER BY fence
""")


_ASK_TO_STOP = sa.text("""
    UPDATE trimtab_leases SET stop_reason = :reason
    WHERE trial_id = :trial_id AND ended_at IS NULL AND stop_reason IS NULL
""")


_OVER = sa.text(f"""
    SELECT lease_id, study_id FROM trimtab_leases
    WHERE ended_at IS NULL AND {OVER_AT} <= clock_timestamp() AND {IS_FRESH}
      AND study_id <> ALL(CAST(:but AS bigint[]))
    ORDER BY {OVER_AT} LIMIT 100
""")


def over(connection: sa.Connection, *, but: Iterable[int]) -> list[tuple[int, int]]:
    """Return leases that have run out, or are past a limit, and are not ended yet, each with its study.

    The oldest first, at most 100.

    Args:
        connection: To read on.
        but: Studies that are left out.
    """
    return [(row.lease_id, row.study_id) for row in connection.execute(_OVER, {"but": list(but)})]


def close_told(connection: sa.Connection, lease: Reference, tell: Tell, *, outcome: Outcome) -> ClosedLease | None:
    """End a live lease as its worker tells; None, with nothing written, if it is not live.

    Args:
        connection: In a transaction.
        lease: Which one.
        tell: As it came.
        outcome: What it comes to.
    """
    values = {**vars(lease), "outcome": outcome, "message": tell.message, "told": tell.model_dump_json()}
    return _closed(connection.execute(_CLOSE_TOLD, values).one_or_none())


def close_over(connection: sa.Connection, lease_id: int) -> ClosedLease | None:
    """End a lease that has run out, or is past a limit; None, with nothing written, if it lives on or was ended."""
    return _closed(connection.execute(_CLOSE_OVER, {"lease_id": lease_id}).one_or_none())


def losses(connection: sa.Connection, trial_id: int) -> list[Loss]:
    """Return the leases of a trial that ran out, in order."""
    return [Loss(**row._asdict()) for row in connection.execute(_LOSSES, {"trial_id": trial_id})]


def ask_to_stop(connection: sa.Connection, trial_id: int, *, reason: str) -> bool:
    """Let the worker of a running trial hear a stop at its next call; return False if it was told to stop before."""
    return connection.execute(_ASK_TO_STOP, {"trial_id": trial_id, "reason": reason}).rowcount == 1


def _closed(row: sa.Row[tuple[object, ...]] | None) -> ClosedLease | None:
    if row is None:
        return None
    values = row._asdict()
    return ClosedLease(outcome=Outcome(values.pop("outcome")), **values)
