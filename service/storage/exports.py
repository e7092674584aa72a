"""Reads what exports are made of, a page at a time: no page costs more the further it is from the first."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from trimtab.message import Metrics


@dataclass(frozen=True)
class ReportRow:
    """A report of a study. The fence is 0 where its trial came already finished."""

    number: int
    fence: int
    attempt: int
    step: int
    metrics: Metrics
    verdict: str
    reason: str | None
    reported_at: datetime


FIRST = (0, -1, 0)
"""Before the first report of all: the number of a trial, the fence of a lease, a step."""

# Of each lease its last report alone: to read them all takes a minute where there are millions.
_METRICS = sa.text("""
    SELECT DISTINCT key FROM trimtab_trials o CROSS JOIN LATERAL (
      SELECT json_object_keys(o.metrics)
      UNION ALL
      SELECT json_object_keys(r.metrics) FROM trimtab_leases l
      JOIN trimtab_reports r ON r.lease_id = l.lease_id AND r.step = l.last_step
      WHERE l.trial_id = o.trial_id
      UNION ALL
      SELECT json_object_keys(o.curve -> -1 -> 'metrics')
    ) AS known (key)
    WHERE o.study_id = :study_id
    ORDER BY key LIMIT :limit
""")

_IS_THERE = sa.text("SELECT EXISTS (SELECT FROM trimtab_studies WHERE study_id = :study_id)")

# Trials come by an index and reports by another, so only those of a page are read, and of one trial before it.
_REPORTS = sa.text("""
    SELECT o.number, found.* FROM trimtab_trials o CROSS JOIN LATERAL (
      SELECT 0 AS fence, 0 AS attempt, c.step, c.metrics, 'continue' AS verdict, NULL AS reason,
        (SELECT t.datetime_complete AT TIME ZONE 'UTC' FROM trials t WHERE t.trial_id = o.trial_id) AS reported_at
      FROM json_to_recordset(o.curve) AS c (step int, metrics json)
      WHERE (0, c.step) > (CASE WHEN o.number = :number THEN :fence ELSE -1 END, :step)
      UNION ALL
      SELECT l.fence, l.attempt, r.step, r.metrics, r.verdict, r.reason, r.reported_at
      FROM trimtab_leases l CROSS JOIN LATERAL (
        SELECT step, metrics, verdict, reason, reported_at FROM trimtab_reports
        WHERE lease_id = l.lease_id
          AND step > CASE WHEN o.number = :number AND l.fence = :fence THEN :step ELSE 0 END
        ORDER BY step LIMIT :limit
      ) AS r
      WHERE l.trial_id = o.trial_id AND (o.number > :number OR l.fence >= :fence)
      ORDER BY fence, step LIMIT :limit
    ) AS found
    WHERE o.study_id = :study_id AND o.number >= :number AND o.number <= :last
    ORDER BY o.number, found.fence, found.step LIMIT :limit
""")


def metrics(connection: sa.Connection, study_id: int, *, limit: int) -> list[str]:
    """Return up to `limit` metrics that trials of a study have, by name."""
    return list(connection.execute(_METRICS, {"study_id": study_id, "limit": limit}).scalars())


def is_there(connection: sa.Connection, study_id: int) -> bool:
    """Return whether a study has not been deleted."""
    return bool(connection.execute(_IS_THERE, {"study_id": study_id}).scalar_one())


def reports(
    connection: sa.Connection, study_id: int, *, after: tuple[int, int, int], last: int, limit: int
) -> list[ReportRow]:
    """Return up to `limit` reports of the trials up to number `last`, in order.

    Args:
        connection: To the database.
        study_id: Of the study.
        after: Number, fence and step of the last one before them.
        last: Number of a trial.
        limit: At most.
    """
    number, fence, step = after
    values = {"study_id": study_id, "number": number, "fence": fence, "step": step, "last": last, "limit": limit}
    return [ReportRow(*row) for row in connection.execute(_REPORTS, values)]
