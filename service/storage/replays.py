"""Reads what a replay plays: the trials of a study, what they took, their curves, and when each point came."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trimtab.states import TrialState


@dataclass(frozen=True)
class PlayedTrial:
    """A trial, and when it was trained. Times are seconds since 1970, by PostgreSQL's clock.

    Args:
        is_given: It came already finished.
        value: Of the objective by which trials are stopped.
        is_feasible: It breaks no constraint.
        ended_at: None: it has not ended.
        leased: From when to when it was leased; up to now, where it runs.
    """

    number: int
    is_given: bool
    state: TrialState
    value: float | None
    is_feasible: bool
    ended_at: float | None
    leased: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class PlayedReport:
    """A point of a trial's curve.

    Args:
        value: None: not finite.
        reported_at: None: the curve was given with the trial.
    """

    number: int
    step: int
    value: float | None
    reported_at: float | None


_TRIALS = sa.text("""
    SELECT t.number, o.origin = 'added' AS is_given, lower(CAST(t.state AS text)) AS state,
      CASE WHEN v.value_type = 'FINITE' THEN v.value END AS value, o.is_feasible IS NOT FALSE AS is_feasible,
      CAST(extract(epoch FROM t.datetime_complete AT TIME ZONE 'UTC') AS float8) AS ended_at,
      coalesce((
        SELECT json_agg(json_build_array(extract(epoch FROM leased_at),
          extract(epoch FROM coalesce(ended_at, least(expires_at, clock_timestamp())))))
        FROM trimtab_leases l WHERE l.trial_id = t.trial_id), '[]') AS leased
    FROM trials t
    JOIN trimtab_trials o USING (trial_id)
    LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = :objective
    WHERE t.study_id = :study_id ORDER BY t.number
""")

# Of a step that two attempts reported, the later one's is in the curve. The study's own come first: the trials that it
# began from may have more reports than are played.
_REPORTS = sa.text("""
    SELECT t.number, i.step, i.intermediate_value, (
        SELECT CAST(extract(epoch FROM r.reported_at) AS float8)
        FROM trimtab_leases l JOIN trimtab_reports r USING (lease_id)
        WHERE l.trial_id = t.trial_id AND r.step = i.step ORDER BY l.fence DESC LIMIT 1) AS reported_at
    FROM trials t
    JOIN trimtab_trials o USING (trial_id)
    JOIN trial_intermediate_values i USING (trial_id)
    WHERE t.study_id = :study_id ORDER BY o.origin = 'added', t.number, i.step LIMIT :limit
""")


def trials(connection: sa.Connection, study_id: int, *, objective: int) -> list[PlayedTrial]:
    """Return the trials of a study, by number; `objective` is the position of the one whose values count."""
    rows = connection.execute(_TRIALS, {"study_id": study_id, "objective": objective})
    return [
        PlayedTrial(
            row.number,
            row.is_given,
            TrialState(row.state),
            row.value,
            row.is_feasible,
            row.ended_at,
            [(float(begun), float(ended)) for begun, ended in row.leased],
        )
        for row in rows
    ]


def reports(connection: sa.Connection, study_id: int, *, limit: int) -> list[PlayedReport]:
    """Return the curves of a study, up to `limit` points: of its own trials, then of given ones, by trial and step."""
    return [PlayedReport(*row) for row in connection.execute(_REPORTS, {"study_id": study_id, "limit": limit})]
