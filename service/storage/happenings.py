"""Reads what has happened in a study: one cheap look again and again, and rows only for what it finds new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.prepared import prepared
from trimtab.states import StudyState

_LOOK = prepared(
    "look_at_study",
    """
    SELECT s.state, s.finished,
      ROW(s.state, s.reason, s.closing, s.budget, s.revision, s.created, s.added, s.finished)::text AS facts,
      coalesce((
        SELECT json_agg(json_build_array(lease_id, l.trial_id, t.number, l.attempt, last_step) ORDER BY lease_id)
        FROM trimtab_leases l JOIN trimtab_trials t USING (trial_id)
        WHERE l.study_id = s.study_id AND l.ended_at IS NULL), '[]') AS running
    FROM trimtab_studies s WHERE s.study_id = :study_id
""",
)

_ENDED = sa.text("""
    SELECT trial_id, finish_order FROM trimtab_trials
    WHERE study_id = :study_id AND finish_order > :after AND finish_order <= :until
    ORDER BY finish_order LIMIT :limit
""")

_REPORTS = sa.text("""
    SELECT r.lease_id, r.step, r.metrics, r.verdict
    FROM unnest(CAST(:lease_ids AS bigint[]), CAST(:after AS int[]), CAST(:until AS int[]))
      AS wanted (id, after, until), LATERAL (
        SELECT lease_id, step, metrics, verdict FROM trimtab_reports
        WHERE lease_id = wanted.id AND step > wanted.after AND step <= wanted.until
        ORDER BY step DESC LIMIT :most) AS r
    ORDER BY r.lease_id, r.step
""")


@dataclass(frozen=True)
class Running:
    """A live lease.

    Args:
        step: The last one reported, or where it began.
    """

    trial_id: int
    number: int
    attempt: int
    step: int


@dataclass(frozen=True)
class Look:
    """A study at a moment.

    Args:
        finished: Trials that have ended: the finish order of the last one.
        facts: Differ where its state or its counts do.
        running: Its live leases, by id.
        is_over: It has ended, and none of its trials runs: nothing will happen any more.
    """

    finished: int
    facts: tuple[str, int]
    running: Mapping[int, Running]
    is_over: bool


def look(connection: sa.Connection, study_id: int) -> Look | None:
    """Return a study as it is; None if it is gone."""
    row = connection.execute(_LOOK, {"study_id": study_id}).one_or_none()
    if row is None:
        return None
    running = {lease_id: Running(*rest) for lease_id, *rest in row.running}
    is_over = StudyState(row.state).is_ended and not running
    return Look(row.finished, (row.facts, len(running)), running, is_over)


def ended(connection: sa.Connection, study_id: int, *, after: int, until: int, limit: int) -> list[tuple[int, int]]:
    """Return (trial id, finish order) of up to `limit` trials that ended after the n-th one."""
    values = {"study_id": study_id, "after": after, "until": until, "limit": limit}
    return [(trial_id, order) for trial_id, order in connection.execute(_ENDED, values)]


def reports(connection: sa.Connection, steps: Mapping[int, tuple[int, int]], *, most: int) -> Sequence[dict[str, Any]]:
    """Return the reports of leases after one step and up to another one, in their order; of each the newest so many."""
    after, until = zip(*steps.values(), strict=True)
    values = {"lease_ids": list(steps), "after": list(after), "until": list(until), "most": most}
    return [dict(row) for row in connection.execute(_REPORTS, values).mappings()]
