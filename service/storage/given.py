"""Trials that somebody gives, in the database: those that wait to be trained, and those that came finished.

Within a transaction that has locked their study.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.storage.dimensions import Dimension, Point
from service.storage.endings import CONSTRAINT_PREFIX, Ending
from service.storage.locks import LockedStudy
from service.storage.suggestions import GIVEN
from trimtab.message import FlatParams, Metrics
from trimtab.states import TrialState

_AT_ONCE = 500
"""Trials that are read or written by one statement, each of which has 8 s (service.database)."""

MAX_TAKEN = 10_000
"""Trials that a study takes over from another: the newest."""


@dataclass(frozen=True)
class AddedTrial:
    """A trial that comes already finished.

    Args:
        curve: Its measurements, each as {"step": …, "metrics": …}.
    """

    point: Point
    ending: Ending
    curve: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class TakenTrial:
    """A finished trial of another study, as it is on record there."""

    number: int
    state: TrialState
    step: int | None
    metrics: Metrics
    point: Point
    curve: Sequence[dict[str, Any]]


# The state and the budget are the caller's to check, under the lock.
_ENQUEUE = sa.text(f"""
    WITH study AS (
      UPDATE trimtab_studies SET created = created + 1 WHERE study_id = :study_id
      RETURNING study_id, created + added - 1 AS number
    ), trial AS (
      INSERT INTO trials (study_id, number, state) SELECT study_id, number, 'WAITING' FROM study
      RETURNING trial_id, study_id, number
    ), param AS (
      INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
      SELECT trial_id, p.* FROM trial, unnest(
        CAST(:names AS text[]), CAST(:values AS float8[]), CAST(:distributions AS text[])) AS p
    ), given AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, '{GIVEN}', CAST(:given AS text) FROM trial WHERE CAST(:given AS text) IS NOT NULL
    )
    INSERT INTO trimtab_trials (trial_id, study_id, number, sampled_for, origin)
    SELECT trial_id, study_id, number, number, 'enqueued' FROM trial
""")

# A step without the metric that stops trials is no part of what a pruner compares with.
_ADD = sa.text("""
    WITH given AS (
      SELECT * FROM json_to_recordset(CAST(:trials AS json)) AS g (
        number int, finish_order int, state text, outcome text, reason text, step int, metrics json,
        is_feasible boolean, "values" json, bound json, point json, curve json)
    ), trial AS (
      INSERT INTO trials (study_id, number, state, datetime_start, datetime_complete)
      SELECT :study_id, number, CAST(state AS trialstate), timezone('UTC', clock_timestamp()),
        timezone('UTC', clock_timestamp())
      FROM given ORDER BY number
      RETURNING trial_id, number
    ), param AS (
      INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
      SELECT trial_id, d.name, CAST(point ->> d.name AS float8), d.distribution
      FROM trial JOIN given USING (number)
      JOIN unnest(CAST(:names AS text[]), CAST(:distributions AS text[])) WITH ORDINALITY
        AS d (name, distribution, position) ON (point ->> d.name) IS NOT NULL
      ORDER BY number, position
    ), value AS (
      INSERT INTO trial_values (trial_id, objective, value, value_type)
      SELECT trial_id, v.position - 1, CAST(v.value AS float8), 'FINITE'
      FROM trial JOIN given USING (number)
      CROSS JOIN json_array_elements_text("values") WITH ORDINALITY AS v (value, position)
    ), bound AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, c.key, c.value FROM trial JOIN given USING (number) CROSS JOIN json_each_text(bound) AS c
    ), intermediate AS (
      INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
      SELECT trial_id, c.step, CAST(c.metrics ->> :metric AS float8),
        CAST(CASE WHEN (c.metrics ->> :metric) IS NULL THEN 'NAN' ELSE 'FINITE' END AS trialintermediatevaluetype)
      FROM trial JOIN given USING (number)
      CROSS JOIN json_to_recordset(curve) AS c (step int, metrics json)
      WHERE (c.metrics -> :metric) IS NOT NULL
    )
    INSERT INTO trimtab_trials (trial_id, study_id, number, sampled_for, origin, outcome, reason, step, metrics,
      finish_order, is_feasible, curve)
    SELECT trial_id, :study_id, number, number, 'added', outcome, reason, step, metrics, finish_order, is_feasible,
      curve
    FROM trial JOIN given USING (number)
""")

_COUNT = sa.text("""
    UPDATE trimtab_studies s SET
      added = added + :count, finished = finished + :count,
      best_trial_id = coalesce(b.trial_id, best_trial_id), best_order = coalesce(b.finish_order, best_order),
      best_value = coalesce(CAST(:best_value AS float8), best_value)
    FROM (VALUES (1)) AS one LEFT JOIN trimtab_trials b ON b.study_id = :study_id AND b.number = :best_number
    WHERE s.study_id = :study_id
""")

# The first of those that are taken.
_FIRST_TAKEN = sa.text("""
    SELECT number FROM trials WHERE study_id = :study_id AND state IN ('COMPLETE', 'PRUNED')
    ORDER BY number DESC OFFSET :skipped LIMIT 1
""")

# Of each step of the curve the report that it came from: the newest, where an attempt repeated it.
_TAKEN = sa.text("""
    SELECT t.number, lower(CAST(t.state AS text)) AS state, o.step, coalesce(o.metrics, '{}') AS metrics,
      coalesce((SELECT json_object_agg(param_name, param_value) FROM trial_params p WHERE p.trial_id = t.trial_id),
        '{}') AS point,
      coalesce(o.curve, (
        SELECT json_agg(json_build_object('step', step, 'metrics', metrics) ORDER BY step) FROM (
          SELECT DISTINCT ON (r.step) r.step, r.metrics
          FROM trimtab_leases l JOIN trimtab_reports r USING (lease_id)
          JOIN trial_intermediate_values i ON i.trial_id = l.trial_id AND i.step = r.step
          WHERE l.trial_id = t.trial_id ORDER BY r.step, l.fence DESC) AS reported), '[]') AS curve
    FROM trials t JOIN trimtab_trials o USING (trial_id)
    WHERE t.study_id = :study_id AND t.state IN ('COMPLETE', 'PRUNED') AND t.number >= :first
    ORDER BY t.number LIMIT :limit
""")


def enqueue(
    connection: sa.Connection,
    study: LockedStudy,
    space: Sequence[Dimension],
    point: Point,
    *,
    given: FlatParams | None = None,
) -> int:
    """Let a trial at `point` wait for its first lease; return its number.

    Args:
        connection: In the transaction that locked the study.
        study: Locked.
        space: Its dimensions.
        point: Of them.
        given: Of a define-by-run study, values for when they are asked for; None: there are none.
    """
    drawn = [dimension for dimension in space if dimension.stored_name in point]
    values = {
        "study_id": study.study_id,
        "names": [dimension.stored_name for dimension in drawn],
        "values": [point[dimension.stored_name] for dimension in drawn],
        "distributions": [dimension.distribution_json for dimension in drawn],
        "given": None if given is None else json.dumps(given),
    }
    connection.execute(_ENQUEUE, values)
    return study.created + study.added


def add(
    connection: sa.Connection,
    study: LockedStudy,
    space: Sequence[Dimension],
    trials: Sequence[AddedTrial],
    *,
    metric: str,
    best: int | None,
) -> None:
    """Store trials that come already finished, in the order in which they are given.

    Args:
        connection: In the transaction that locked the study.
        study: Locked.
        space: Its dimensions.
        trials: Any number.
        metric: That stops trials: what a pruner compares.
        best: Which of them is the best trial of the study now; None: none is.
    """
    first = study.created + study.added
    rows = [_row(trial, first + place, study.finished + 1 + place) for place, trial in enumerate(trials)]
    shared = {
        "study_id": study.study_id,
        "metric": metric,
        "names": [dimension.stored_name for dimension in space],
        "distributions": [dimension.distribution_json for dimension in space],
    }
    for start in range(0, len(rows), _AT_ONCE):
        connection.execute(_ADD, {**shared, "trials": json.dumps(rows[start : start + _AT_ONCE])})
    counted = {
        "study_id": study.study_id,
        "count": len(trials),
        "best_number": None if best is None else first + best,
        "best_value": None if best is None else trials[best].ending.values[0],
    }
    connection.execute(_COUNT, counted)


def taken(connection: sa.Connection, study_id: int) -> Iterator[TakenTrial]:
    """Return the newest complete and pruned trials of a study, at most `MAX_TAKEN`, by number."""
    skipped = {"study_id": study_id, "skipped": MAX_TAKEN - 1}
    first: int = connection.execute(_FIRST_TAKEN, skipped).scalar_one_or_none() or 0
    while rows := connection.execute(_TAKEN, {"study_id": study_id, "first": first, "limit": _AT_ONCE}).all():
        for row in rows:
            values = row._asdict()
            yield TakenTrial(state=TrialState(values.pop("state")), **values)
        first = rows[-1].number + 1


def _row(trial: AddedTrial, number: int, finish_order: int) -> dict[str, Any]:
    ending = trial.ending
    return {
        "number": number,
        "finish_order": finish_order,
        "state": ending.state.upper(),
        "outcome": ending.outcome,
        "reason": ending.reason,
        "step": ending.step,
        "metrics": ending.metrics,
        "is_feasible": ending.is_feasible if ending.excesses else None,
        "values": list(ending.values),
        "bound": {f"{CONSTRAINT_PREFIX}{metric}": excess for metric, excess in ending.excesses.items()},
        "point": dict(trial.point),
        "curve": list(trial.curve),
    }
