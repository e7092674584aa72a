"""Reads trials, their reports and their attempts, and the workers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from service.storage.dimensions import Point
from service.storage.leases import report_at
from service.storage.studies import StudyRow
from service.storage.suggestions import GIVEN
from trimtab.errors import TrialNotFound
from trimtab.message import Metrics, Scalar
from trimtab.states import Origin, Outcome, TrialState


@dataclass(frozen=True)
class TrialRow:
    """A trial as it is stored. Times are naive UTC: Optuna's."""

    trial_id: int
    number: int
    state: TrialState
    started_at: datetime | None
    completed_at: datetime | None
    values: Sequence[float]
    is_feasible: bool | None
    outcome: Outcome | None
    reason: str | None
    step: int | None
    metrics: Metrics
    attempts: int
    worker: str | None
    fallback: str | None
    origin: Origin
    split: str | None
    point: Point
    given: Mapping[str, Scalar]
    user_attributes: Mapping[str, Any]


_TRIAL = f"""
    SELECT t.trial_id, t.number, lower(CAST(t.state AS text)) AS state,
      t.datetime_start AS started_at, t.datetime_complete AS completed_at, o.is_feasible, o.outcome, o.reason,
      ARRAY(SELECT value FROM trial_values v WHERE v.trial_id = t.trial_id ORDER BY objective) AS values,
      coalesce(o.step, nullif(last.last_step, 0)) AS step, coalesce(o.metrics, r.metrics, '{{}}') AS metrics,
      o.fence AS attempts, last.worker, o.fallback, o.origin,
      last.told ->> 'split' AS split,
      coalesce((SELECT json_object_agg(param_name, param_value) FROM trial_params p WHERE p.trial_id = t.trial_id),
        '{{}}') AS point,
      coalesce((SELECT CAST(value_json AS json) FROM trial_system_attributes a
        WHERE a.trial_id = t.trial_id AND key = '{GIVEN}' AND t.state IN ('RUNNING', 'WAITING')), '{{}}') AS given,
      (SELECT json_object_agg(key, value_json) FROM trial_user_attributes a
        WHERE a.trial_id = t.trial_id) AS user_attributes
    FROM trimtab_trials o
    JOIN trials t USING (trial_id)
    LEFT JOIN trimtab_leases last ON last.trial_id = t.trial_id AND last.fence = o.fence
    LEFT JOIN LATERAL ({report_at("last.last_step", "last.trial_id")}) AS r ON true
"""

_BY_NUMBER = sa.text(f"{_TRIAL} WHERE o.study_id = :study_id AND o.number = :number")

_BY_ID = sa.text(f"{_TRIAL} WHERE o.trial_id = :trial_id")

_BY_IDS = sa.text(f"{_TRIAL} WHERE o.trial_id = ANY(:trial_ids) AND o.number > :after ORDER BY o.number LIMIT :limit")

_BY_NUMBERS = sa.text(f"{_TRIAL} WHERE o.study_id = :study_id AND o.number = ANY(:numbers)")

_NUMBERS = """
    SELECT number FROM trials t WHERE study_id = :study_id
      AND (CAST(:state AS text) IS NULL OR state = CAST(upper(:state) AS trialstate))
    ORDER BY number {order} OFFSET :offset LIMIT :limit
"""

_WAITING = sa.text(f"{_TRIAL} WHERE o.study_id = :study_id AND t.state = 'WAITING' ORDER BY o.number")

_RANKED = sa.text("""
    SELECT o.trial_id, ARRAY(SELECT value FROM trial_values v WHERE v.trial_id = o.trial_id ORDER BY objective)
    FROM trimtab_trials o JOIN trials t USING (trial_id)
    WHERE o.study_id = :study_id AND t.state = 'COMPLETE' AND o.is_feasible IS NOT FALSE
    ORDER BY o.number
""")

_PAGE = f"""
    {_TRIAL} WHERE o.study_id = :study_id
      AND (CAST(:state AS text) IS NULL OR t.state = CAST(upper(:state) AS trialstate))
"""

_OLDEST_FIRST = sa.text(f"{_PAGE} AND o.number > :after ORDER BY o.number LIMIT :limit")

_NEWEST_FIRST = sa.text(f"{_PAGE} AND o.number < :after ORDER BY o.number DESC LIMIT :limit")

# A trial that came already finished had no lease, and its curve no verdict.
REPORTED = """
    SELECT l.attempt, r.step, r.metrics, r.verdict, r.reason, r.reported_at
    FROM trimtab_leases l JOIN trimtab_reports r USING (lease_id)
    WHERE l.trial_id = :trial_id
    UNION ALL
    SELECT 0, c.step, c.metrics, 'continue', NULL, t.datetime_complete AT TIME ZONE 'UTC'
    FROM trimtab_trials o JOIN trials t USING (trial_id)
    CROSS JOIN json_to_recordset(o.curve) AS c (step int, metrics json)
    WHERE o.trial_id = :trial_id
"""

_REPORTS = sa.text(f"{REPORTED} ORDER BY attempt, step")

_ATTEMPTS = sa.text("""
    SELECT fence, attempt, worker, host, device, outcome, message, leased_at, ended_at,
      CAST(extract(epoch FROM ended_at - leased_at) AS float8) AS seconds, start_step, last_step,
      CASE WHEN ended_at IS NULL THEN expires_at END AS expires_at
    FROM trimtab_leases WHERE trial_id = :trial_id ORDER BY fence
""")

_WORKER = """
    SELECT name, w.host, w.device, w.tasks, first_seen_at,
      CASE WHEN w.device_memory_used IS NOT NULL THEN
        json_build_object('used', w.device_memory_used, 'total', w.device_memory_total) END AS device_memory,
      greatest(last_seen_at, max(l.renewed_at)) AS last_seen_at,
      greatest(last_seen_at, max(l.renewed_at)) > clock_timestamp() - make_interval(secs => :lease_seconds)
        AS is_alive,
      coalesce(json_agg(json_build_object('study', s.study_name, 'trial', t.number, 'since', l.leased_at)
        ORDER BY l.lease_id) FILTER (WHERE l.lease_id IS NOT NULL), '[]') AS trials
    FROM trimtab_workers w
    LEFT JOIN trimtab_leases l ON l.worker = w.name AND l.ended_at IS NULL
    LEFT JOIN trimtab_trials t USING (trial_id)
    LEFT JOIN studies s ON s.study_id = l.study_id
"""

_WORKERS = sa.text(f"{_WORKER} WHERE name > :after GROUP BY name ORDER BY name LIMIT :limit")

_LATELY = sa.text(f"""
    {_WORKER} GROUP BY name
    HAVING greatest(last_seen_at, max(l.renewed_at)) > clock_timestamp() - make_interval(secs => :seconds)
    ORDER BY is_alive DESC, name LIMIT :limit
""")


def by_number(connection: sa.Connection, study_id: int, number: int) -> TrialRow | None:
    """Return a trial of a study; None if it has none of that number."""
    row = connection.execute(_BY_NUMBER, {"study_id": study_id, "number": number}).one_or_none()
    return _trial(row) if row else None


def require(connection: sa.Connection, study: StudyRow, number: int) -> TrialRow:
    """Return a trial of a study.

    Raises:
        TrialNotFound: It has none of that number.
    """
    trial = by_number(connection, study.study_id, number)
    if trial is None:
        raise TrialNotFound(f"study {study.spec.name!r} has no trial {number}")
    return trial


def by_id(connection: sa.Connection, trial_id: int) -> TrialRow | None:
    """Return a trial; None if it is gone."""
    row = connection.execute(_BY_ID, {"trial_id": trial_id}).one_or_none()
    return _trial(row) if row else None


def by_ids(connection: sa.Connection, trial_ids: Sequence[int], *, after: int, limit: int) -> list[TrialRow]:
    """Return up to `limit` of those of the trials that are there beyond number `after`, by number."""
    values = {"trial_ids": list(trial_ids), "after": after, "limit": limit}
    return [_trial(row) for row in connection.execute(_BY_IDS, values)]


def by_numbers(connection: sa.Connection, study_id: int, numbers: Sequence[int]) -> list[TrialRow]:
    """Return those of the trials of a study that are there, in the order of `numbers`."""
    rows = connection.execute(_BY_NUMBERS, {"study_id": study_id, "numbers": list(numbers)})
    found = {trial.number: trial for trial in map(_trial, rows)}
    return [found[number] for number in numbers if number in found]


def numbers(
    connection: sa.Connection, study_id: int, *, state: TrialState | None, offset: int, limit: int, is_descending: bool
) -> list[int]:
    """Return the numbers of up to `limit` trials of a study after the first `offset` ones, sorted."""
    values = {"study_id": study_id, "state": state, "offset": offset, "limit": limit}
    statement = _NUMBERS.format(order="DESC" if is_descending else "ASC")
    return list(connection.execute(sa.text(statement), values).scalars())


def waiting(connection: sa.Connection, study_id: int) -> list[TrialRow]:
    """Return the trials of a study that wait for an attempt, by number."""
    return [_trial(row) for row in connection.execute(_WAITING, {"study_id": study_id})]


def ranked(connection: sa.Connection, study_id: int) -> list[tuple[int, Sequence[float]]]:
    """Return (trial id, values of the objectives) of each trial that is complete and feasible, by number."""
    return [(trial_id, values) for trial_id, values in connection.execute(_RANKED, {"study_id": study_id})]


def page(
    connection: sa.Connection, study_id: int, *, state: TrialState | None, after: int, limit: int, is_descending: bool
) -> list[TrialRow]:
    """Return up to `limit` trials beyond number `after`, ascending or descending."""
    statement = _NEWEST_FIRST if is_descending else _OLDEST_FIRST
    values = {"study_id": study_id, "state": state, "after": after, "limit": limit}
    return [_trial(row) for row in connection.execute(statement, values)]


def reports(connection: sa.Connection, trial_id: int) -> Sequence[dict[str, Any]]:
    """Return the reports of all attempts, in order."""
    rows = connection.execute(_REPORTS, {"trial_id": trial_id})
    names = list(rows.keys())
    # Of ten thousand reports SQLAlchemy's own mappings take as long as PostgreSQL does.
    return [dict(zip(names, row, strict=True)) for row in rows]


def attempts(connection: sa.Connection, trial_id: int) -> Sequence[dict[str, Any]]:
    """Return the leases that a trial has had, in order."""
    return [dict(row) for row in connection.execute(_ATTEMPTS, {"trial_id": trial_id}).mappings()]


def workers(connection: sa.Connection, *, after: str, limit: int, lease_seconds: float) -> Sequence[dict[str, Any]]:
    """Return up to `limit` workers with a name beyond `after`, by name, with the trials that they hold."""
    values = {"after": after, "limit": limit, "lease_seconds": lease_seconds}
    return [dict(row) for row in connection.execute(_WORKERS, values).mappings()]


def seen_lately(
    connection: sa.Connection, *, seconds: float, limit: int, lease_seconds: float
) -> Sequence[dict[str, Any]]:
    """Return up to `limit` workers that were heard of within so many seconds: who is alive first, then by name."""
    values = {"seconds": seconds, "limit": limit, "lease_seconds": lease_seconds}
    return [dict(row) for row in connection.execute(_LATELY, values).mappings()]


def _trial(row: sa.Row[tuple[object, ...]]) -> TrialRow:
    values = row._asdict()
    state, origin, outcome = (values.pop(name) for name in ("state", "origin", "outcome"))
    attributes = values.pop("user_attributes") or {}
    return TrialRow(
        state=TrialState(state),
        origin=Origin(origin),
        outcome=Outcome(outcome) if outcome else None,
        user_attributes={key: _json(text) for key, text in attributes.items()},
        **values,
    )


def _json(text: str) -> Any:
    # Optuna writes what is not finite as JavaScript does, and JSON has no such number.
    return json.loads(text, parse_constant=lambda _: None)
