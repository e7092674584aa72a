"""A lease in the database: look at it, renew it, record a report.

Each write names the lease, its fence and its expiry in its WHERE: a zombie's write meets no row.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.limits import NEXT_DUE
from service.storage.liveness import IS_FRESH
from trimtab.message import Metrics
from trimtab.states import Decision, Outcome


@dataclass(frozen=True)
class Reference:
    """What a worker says of the lease that it calls on.

    Args:
        lease_id: Which one.
        fence: Of this lease.
        token_id: The token that calls, which has to be the one that asked; None: an administrator's.
    """

    lease_id: int
    fence: int
    token_id: int | None = None


@dataclass(frozen=True)
class StoredReport:
    """A report that is on record, with its verdict."""

    metrics: Metrics
    verdict: Decision
    reason: str | None


@dataclass(frozen=True)
class LeaseRow:
    """A lease as it is stored, and how far its study has come.

    Args:
        token_id: The token that asked for it; None: the operator's own.
        is_live: Neither ended nor run out, by PostgreSQL's clock.
        is_watched: Somebody was there to renew it: if it ran out, it is lost.
        start_step: The step of the checkpoint that it goes on from; 0: from the start.
        last_step: The last step reported, or the start; 0 before the first.
        best: The best value of the objective so far; None before the first finite one.
        stop_reason: Given with the verdict stop; None before.
        outcome: How it ended; None while it lives.
        told: The tell that ended it; None while it lives, and where the service ended it.
        report: The report at the step that was asked for; None if there is none.
        study_finished: Trials of the study that have ended.
        is_spent: The budget has no epoch left for a report of it.
    """

    study_id: int
    fence: int
    token_id: int | None
    is_live: bool
    is_watched: bool
    expires_at: datetime
    start_step: int
    last_step: int
    best: float | None
    stop_reason: str | None
    outcome: Outcome | None
    told: dict[str, Any] | None
    study: str
    number: int
    study_finished: int
    is_spent: bool
    report: StoredReport | None


@dataclass(frozen=True)
class NewReport:
    """A report to be written with the verdict that it gets.

    Args:
        value: Of the objective by which trials are stopped.
        best: The best such value so far.
        rungs: That the trial came to with it: the value there, by Optuna's name of the rung.
    """

    step: int
    metrics: Metrics
    value: float | None
    best: float | None
    verdict: Decision
    reason: str | None
    rungs: Mapping[str, float] = field(default_factory=dict)


_LOOK = prepared(
    "look",
    f"""
    SELECT l.study_id, l.fence, l.token_id, l.ended_at IS NULL AND l.expires_at > clock_timestamp() AS is_live,
      coalesce({IS_FRESH}, false) AS is_watched, l.expires_at,
      l.start_step, l.last_step, l.best, l.stop_reason, l.outcome, l.told, o.study_name AS study, t.number,
      s.finished AS study_finished, l.is_counted AND coalesce(s.epochs_used >= s.epochs, false) AS is_spent,
      r.metrics, r.verdict, r.reason
    FROM trimtab_leases l
    JOIN trimtab_trials t USING (trial_id)
    JOIN trimtab_studies s ON s.study_id = l.study_id
    JOIN studies o ON o.study_id = l.study_id
    LEFT JOIN trimtab_reports r ON r.lease_id = l.lease_id AND r.step = :step
    WHERE l.lease_id = :lease_id
""",
)

LIVE = """
    lease_id = :lease_id AND fence = :fence AND ended_at IS NULL AND expires_at > clock_timestamp()
    AND (CAST(:token_id AS bigint) IS NULL OR token_id = :token_id)
"""
"""The lease of that fence, alive, of the token that calls."""

RENEWED = """
    renewed_at = clock_timestamp(), expires_at = clock_timestamp() + make_interval(secs => :lease_seconds)
"""

_RENEW = prepared("renew", f"UPDATE trimtab_leases SET {RENEWED} WHERE {LIVE} RETURNING expires_at, stop_reason")

# The verdict was decided on what came before: if another report of the lease came in between, or another trial has
# ended that the verdict should know of, no row matches. Nor does one where the budget has no epoch left. Only where
# the budget counts epochs is the study's row taken, and then before the lease.
_RECORD_ALSO = f"""
    WITH study AS MATERIALIZED (
      SELECT study_id FROM trimtab_studies JOIN trimtab_leases USING (study_id)
      WHERE lease_id = :lease_id AND is_counted AND coalesce(epochs_used < epochs, true)
      FOR NO KEY UPDATE OF trimtab_studies
    ), lease AS (
      UPDATE trimtab_leases SET
        {RENEWED}, due_at = {NEXT_DUE}, last_step = :step, best = :best, stop_reason = :stop_reason
      WHERE {LIVE} AND last_step = :known_step AND stop_reason IS NULL
        AND (SELECT finished FROM trimtab_studies s WHERE s.study_id = trimtab_leases.study_id)
          <= coalesce(:known_finished, 2147483647)
        AND (NOT is_counted OR study_id = (SELECT study_id FROM study))
      RETURNING lease_id, trial_id, expires_at, study_id, is_counted
    ), counted AS (
      UPDATE trimtab_studies s SET epochs_used = epochs_used + 1 FROM lease
      WHERE s.study_id = lease.study_id AND lease.is_counted
    ), report AS (
      INSERT INTO trimtab_reports (lease_id, step, metrics, verdict, reason)
      SELECT lease_id, CAST(:step AS int), CAST(:metrics AS json), :verdict, :stop_reason FROM lease
    ), intermediate AS (
      INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
      SELECT trial_id, CAST(:step AS int), CAST(:value AS float8),
        CAST(CASE WHEN CAST(:value AS float8) IS NULL THEN 'NAN' ELSE 'FINITE' END AS trialintermediatevaluetype)
      FROM lease
    ){{also}}
    SELECT expires_at FROM lease
"""

_RECORD = prepared("record", _RECORD_ALSO.format(also=""))

RUNG_STEP = "_step"
"""What follows the name of a rung where the step is kept at which a trial came to it."""

_RECORD_RUNGS = prepared(
    "record_rungs",
    _RECORD_ALSO.format(
        also=""", rung AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, r.* FROM lease, unnest(CAST(:keys AS text[]), CAST(:values AS text[])) AS r
    )"""
    ),
)

_CURVE = prepared(
    "curve",
    """
    SELECT step, intermediate_value FROM trial_intermediate_values
    WHERE trial_id = (SELECT trial_id FROM trimtab_leases WHERE lease_id = :lease_id) ORDER BY step
""",
)

# The values of rungs, not their steps.
_RUNGS = prepared(
    "rungs",
    r"""
    SELECT count(*) FROM trial_system_attributes
    WHERE trial_id = (SELECT trial_id FROM trimtab_leases WHERE lease_id = :lease_id)
      AND key LIKE 'completed\_rung\_%' AND key NOT LIKE '%\_step'
""",
)

_REPORT_AT = """
    SELECT metrics FROM trimtab_reports JOIN trimtab_leases l USING (lease_id)
    WHERE l.trial_id = {trial_id} AND step = {step} ORDER BY l.fence DESC LIMIT 1
"""


def report_at(step: str, trial_id: str) -> str:
    """Return SQL for the metrics of a trial at a step of its curve: of an older lease if it went on from there."""
    return _REPORT_AT.format(step=step, trial_id=trial_id)


_WAS_DELETED = sa.text("SELECT study FROM trimtab_tombstones WHERE lease_id = :lease_id")


def look(connection: sa.Connection, lease_id: int, *, step: int = 0) -> LeaseRow | None:
    """Return the lease, with its report at `step` if there is one; None if there is no such lease."""
    row = connection.execute(_LOOK, {"lease_id": lease_id, "step": step}).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    metrics, verdict, reason = values.pop("metrics"), values.pop("verdict"), values.pop("reason")
    report = StoredReport(metrics, Decision(verdict), reason) if verdict else None
    outcome = values.pop("outcome")
    return LeaseRow(report=report, outcome=Outcome(outcome) if outcome else None, **values)


def study_of_deleted(connection: sa.Connection, lease_id: int) -> str | None:
    """Return the name of the study that this lease was of when it was deleted; None if that never happened."""
    name: str | None = connection.execute(_WAS_DELETED, {"lease_id": lease_id}).scalar_one_or_none()
    return name


def renew(connection: sa.Connection, lease: Reference, *, lease_seconds: float) -> tuple[datetime, str | None] | None:
    """Let the lease live on; return its expiry and its stop reason, or None if it is not live."""
    row = connection.execute(_RENEW, {**vars(lease), "lease_seconds": lease_seconds}).one_or_none()
    return (row.expires_at, row.stop_reason) if row else None


def record(
    connection: sa.Connection,
    lease: Reference,
    report: NewReport,
    *,
    known_step: int,
    known_finished: int | None,
    lease_seconds: float,
) -> datetime | None:
    """Store a report with its verdict and renew the lease, in one statement.

    Args:
        connection: To write on.
        lease: Whose report it is.
        report: What to store.
        known_step: The last step that the verdict was decided on.
        known_finished: How many ended trials it was decided on; None: it does not matter if more have.
        lease_seconds: How long the lease lives from now.

    Returns:
        The new expiry; None, with nothing written, if the lease is not live or was told to stop, or the verdict
        was decided on less than there is.
    """
    values = {
        **vars(lease),
        "step": report.step,
        "metrics": json.dumps(report.metrics),
        "value": report.value,
        "best": report.best,
        "verdict": report.verdict,
        "stop_reason": report.reason if report.verdict is Decision.STOP else None,
        "known_step": known_step,
        "known_finished": known_finished,
        "lease_seconds": lease_seconds,
    }
    statement = _RECORD
    if report.rungs:
        statement, kept = _RECORD_RUNGS, _kept(report)
        values |= {"keys": list(kept), "values": list(kept.values())}
    expiry: datetime | None = connection.execute(statement, values).scalar_one_or_none()
    return expiry


def curve(connection: sa.Connection, lease_id: int) -> dict[int, float | None]:
    """Return the curve of the trial of a lease; None is not finite."""
    return {step: value for step, value in connection.execute(_CURVE, {"lease_id": lease_id})}  # noqa: C416  # of rows, not of pairs


def rungs(connection: sa.Connection, lease_id: int) -> int:
    """Return how many rungs the trial of a lease has come through."""
    found: int = connection.execute(_RUNGS, {"lease_id": lease_id}).scalar_one()
    return found


def _kept(report: NewReport) -> dict[str, str]:
    """Return what is kept of the rungs of a report: for Optuna the values, for a cut of the curve the steps."""
    values = {name: json.dumps(value) for name, value in report.rungs.items()}
    return values | {f"{name}{RUNG_STEP}": str(report.step) for name in report.rungs}
