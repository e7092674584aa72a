"""Reads what is drawn of a study: how far trials came, the curves of some, the errors of complete ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.storage.trials import REPORTED
from trimtab.message import Metrics
from trimtab.states import TrialState


@dataclass(frozen=True)
class Standing:
    """A trial that has reported, as far as it came.

    Args:
        last_step: The last one reported.
        value: Its final value, or the last one reported; None: that is not finite.
    """

    trial_id: int
    number: int
    state: TrialState
    last_step: int
    value: float | None


@dataclass(frozen=True)
class StoredCurve:
    """The values that a trial reported; None is not finite."""

    steps: Sequence[int]
    values: Sequence[float | None]


_STANDINGS = sa.text("""
    SELECT t.trial_id, t.number, lower(CAST(t.state AS text)), last.step, CASE
      WHEN v.value_type = 'FINITE' THEN v.value
      WHEN last.intermediate_value_type = 'FINITE' THEN last.intermediate_value END
    FROM trials t
    CROSS JOIN LATERAL (
      SELECT step, intermediate_value, intermediate_value_type FROM trial_intermediate_values i
      WHERE i.trial_id = t.trial_id ORDER BY step DESC LIMIT 1
    ) AS last
    LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = :objective
    WHERE t.study_id = :study_id AND t.state = ANY(CAST(:states AS trialstate[]))
    ORDER BY t.number
""")

_MOST_REPORTS = sa.text("""
    SELECT max(points)
    FROM unnest(CAST(:trial_ids AS bigint[])) AS wanted (trial_id) CROSS JOIN LATERAL (
      SELECT count(*) AS points
      FROM (SELECT FROM trial_intermediate_values i WHERE i.trial_id = wanted.trial_id LIMIT :most) AS found
    ) AS counted
""")

# Every so many points, so that no more than what is drawn comes here; the last one always.
_CURVES = sa.text("""
    SELECT trial_id, array_agg(step ORDER BY step), array_agg(value ORDER BY step)
    FROM (
      SELECT i.trial_id, step, CASE WHEN intermediate_value_type = 'FINITE' THEN intermediate_value END AS value, most,
        row_number() OVER trial AS place, count(*) OVER (PARTITION BY i.trial_id) AS points
      FROM unnest(CAST(:trial_ids AS bigint[]), CAST(:most AS int[])) AS wanted (trial_id, most)
      JOIN trial_intermediate_values i ON i.trial_id = wanted.trial_id
      WINDOW trial AS (PARTITION BY i.trial_id ORDER BY step)
    ) AS point
    WHERE place = points OR (place - 1) % CAST(ceil(CAST(points AS float8) / most) AS bigint) = 0
    GROUP BY trial_id
""")

# Where a later report has no higher step, the curve was cut. The smallest step of all that came later, not of all that
# come later: PostgreSQL goes through them once.
_RUN = sa.text(f"""
    WITH reported AS (
      SELECT *, min(step) OVER (
        ORDER BY reported_at DESC, step DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS cut_at
      FROM ({REPORTED}) AS every
    ), run AS (
      SELECT *, row_number() OVER (ORDER BY step) AS place, count(*) OVER () AS points
      FROM reported WHERE cut_at IS NULL OR step < cut_at
    ), best AS (
      SELECT step FROM trial_intermediate_values WHERE trial_id = :trial_id AND intermediate_value_type = 'FINITE'
      ORDER BY :sign * intermediate_value, step LIMIT 1
    )
    SELECT attempt, step, metrics, verdict, reason, reported_at, points, step IN (SELECT step FROM best) AS is_best
    FROM run
    WHERE place = points OR (place - 1) % CAST(ceil(CAST(points AS float8) / :most) AS bigint) = 0
      OR step IN (SELECT step FROM best)
    ORDER BY step
""")

_COMPLETE = sa.text("""
    SELECT o.number, o.metrics
    FROM trimtab_trials o JOIN trials t USING (trial_id)
    WHERE o.study_id = :study_id AND t.state = 'COMPLETE'
      AND o.metrics ->> 'training_error' IS NOT NULL AND o.metrics ->> 'validation_error' IS NOT NULL
    ORDER BY CAST(o.metrics ->> 'validation_error' AS float8), o.number
""")


_ENDED = ["COMPLETE", "PRUNED", "FAIL"]


def ended(connection: sa.Connection, study_id: int, *, objective: int) -> list[Standing]:
    """Return the trials that reported and have ended, by number.

    Args:
        connection: To read on.
        study_id: Of the study.
        objective: The position of the one whose values count.
    """
    return _standings(connection, study_id, objective, _ENDED)


def running(connection: sa.Connection, study_id: int, *, objective: int) -> list[Standing]:
    """Return the trials that have reported and run, by number, as `ended` does those that have ended."""
    return _standings(connection, study_id, objective, ["RUNNING"])


def most_reports(connection: sa.Connection, trial_ids: Sequence[int], *, most: int) -> int:
    """Return how many reports that one of these trials has which has most of them; no more than `most` are counted."""
    return connection.scalar(_MOST_REPORTS, {"trial_ids": trial_ids, "most": most}) or 0


def curves(connection: sa.Connection, most: Mapping[int, int]) -> dict[int, StoredCurve]:
    """Return the curves of trials, by id; of each about so many points at most, evenly, the first and the last."""
    values = {"trial_ids": list(most), "most": list(most.values())}
    return {trial_id: StoredCurve(*curve) for trial_id, *curve in connection.execute(_CURVES, values)}


def run(connection: sa.Connection, trial_id: int, *, most: int, sign: float) -> Sequence[dict[str, Any]]:
    """Return the reports that lead to a trial's last one: about so many at most, with the first, best and last.

    Each with the `points` of the whole run, and whether it `is_best`.
    """
    rows = connection.execute(_RUN, {"trial_id": trial_id, "most": most, "sign": sign}).mappings()
    return [dict(row) for row in rows]


def complete(connection: sa.Connection, study_id: int) -> list[tuple[int, Metrics]]:
    """Return number and final figures of each complete trial that has both errors, by its validation error."""
    return [(number, metrics) for number, metrics in connection.execute(_COMPLETE, {"study_id": study_id})]


def _standings(connection: sa.Connection, study_id: int, objective: int, states: Sequence[str]) -> list[Standing]:
    values = {"study_id": study_id, "objective": objective, "states": states}
    rows = connection.execute(_STANDINGS, values)
    return [
        Standing(trial_id, number, TrialState(state), last_step, value)
        for trial_id, number, state, last_step, value in rows
    ]
