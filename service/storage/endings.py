"""What the end of a lease makes of its trial and its study in the database.

Within the transaction that locked the study.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.locks import LockedStudy
from trimtab.message import Metrics
from trimtab.states import Outcome, StudyState, TrialState

CONSTRAINT_PREFIX = "constraints:"
"""What Optuna puts before the name of a constraint where it keeps its value."""


@dataclass(frozen=True)
class Ending:
    """The end of a trial.

    Args:
        outcome: Of its last lease.
        state: Complete, pruned or fail.
        values: Of the objectives; empty if there are none.
        excesses: By metric that is bound, how far it is beyond its bound; zero or less where it is kept.
        step: That the metrics belong to.
        metrics: The final ones.
        reason: Why it was stopped or failed.
    """

    outcome: Outcome
    state: TrialState
    values: Sequence[float]
    excesses: Mapping[str, float]
    step: int | None
    metrics: Metrics
    reason: str | None

    @property
    def is_feasible(self) -> bool:
        """Whether every constraint that was measured is kept."""
        return all(excess <= 0 for excess in self.excesses.values())


@dataclass(frozen=True)
class StudyAfter:
    """The study after one more trial ended."""

    state: StudyState
    reason: str | None
    failed_in_a_row: int
    is_best: bool


# running -> waiting
_REQUEUE = sa.text("""
    WITH trial AS (
      UPDATE trials SET state = 'WAITING' WHERE trial_id = :trial_id AND state = 'RUNNING' RETURNING trial_id
    )
    UPDATE trimtab_trials t SET lost = lost + :lost FROM trial WHERE t.trial_id = trial.trial_id
""")


# running -> complete, pruned, fail; waiting -> pruned. Whoever changes a trial's state holds its study.
_FINISH = prepared(
    "finish",
    """
    WITH study AS (
      UPDATE trimtab_studies SET
        finished = finished + 1,
        failed_in_a_row = :failed_in_a_row,
        state = :study_state,
        reason = :study_reason,
        ended_at = CASE WHEN :study_has_ended THEN coalesce(ended_at, clock_timestamp()) END,
        best_trial_id = CASE WHEN :is_best THEN :trial_id ELSE best_trial_id END,
        best_value = CASE WHEN :is_best THEN (CAST(:values AS float8[]))[1] ELSE best_value END,
        best_order = CASE WHEN :is_best THEN finished + 1 ELSE best_order END
      WHERE study_id = :study_id
      RETURNING finished
    ), trial AS (
      UPDATE trials SET
        state = CAST(:state AS trialstate), datetime_complete = timezone('UTC', clock_timestamp()),
        datetime_start = coalesce(datetime_start, timezone('UTC', clock_timestamp()))
      WHERE trial_id = :trial_id AND state IN ('RUNNING', 'WAITING')
      RETURNING trial_id
    ), value AS (
      INSERT INTO trial_values (trial_id, objective, value, value_type)
      SELECT trial_id, v.position - 1, v.value, 'FINITE'
      FROM trial, unnest(CAST(:values AS float8[])) WITH ORDINALITY AS v (value, position)
    ), bound AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, c.key, CAST(to_json(c.excess) AS text)
      FROM trial, unnest(CAST(:bound AS text[]), CAST(:excesses AS float8[])) AS c (key, excess)
    )
    UPDATE trimtab_trials t SET
      lost = lost + :lost, outcome = :outcome, reason = :reason, step = :step, metrics = CAST(:metrics AS json),
      finish_order = (SELECT finished FROM study), is_feasible = CAST(:is_feasible AS boolean)
    FROM trial WHERE t.trial_id = trial.trial_id
""",
)


# waiting -> pruned, of many at once: they end in the order of their numbers.
_PRUNE_WAITING = sa.text("""
    WITH given AS (
      SELECT * FROM json_to_recordset(CAST(:endings AS json)) AS g (
        trial_id bigint, outcome text, reason text, step int, metrics json,
        is_feasible boolean, "values" json, bound json)
    ), trial AS (
      UPDATE trials t SET
        state = 'PRUNED', datetime_complete = timezone('UTC', clock_timestamp()),
        datetime_start = coalesce(datetime_start, timezone('UTC', clock_timestamp()))
      FROM given WHERE t.trial_id = given.trial_id AND t.state = 'WAITING'
      RETURNING t.trial_id, t.number
    ), placed AS (
      SELECT trial_id, row_number() OVER (ORDER BY number) AS place FROM trial
    ), study AS (
      UPDATE trimtab_studies SET finished = finished + (SELECT count(*) FROM trial), failed_in_a_row = 0
      WHERE study_id = :study_id
      RETURNING finished - (SELECT count(*) FROM trial) AS finished_before
    ), value AS (
      INSERT INTO trial_values (trial_id, objective, value, value_type)
      SELECT trial_id, v.position - 1, CAST(v.value AS float8), 'FINITE'
      FROM trial JOIN given USING (trial_id)
      CROSS JOIN json_array_elements_text("values") WITH ORDINALITY AS v (value, position)
    ), bound AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, c.key, c.value FROM trial JOIN given USING (trial_id) CROSS JOIN json_each_text(bound) AS c
    )
    UPDATE trimtab_trials t SET
      outcome = given.outcome, reason = given.reason, step = given.step, metrics = given.metrics,
      is_feasible = given.is_feasible, finish_order = finished_before + place
    FROM placed JOIN given USING (trial_id), study WHERE t.trial_id = placed.trial_id
""")


def requeue(connection: sa.Connection, trial_id: int, *, is_lost: bool) -> None:
    """Let a trial wait for its next attempt; a lost lease is counted, a released one is not."""
    connection.execute(_REQUEUE, {"trial_id": trial_id, "lost": int(is_lost)})


def finish(connection: sa.Connection, study: LockedStudy, trial_id: int, ending: Ending, after: StudyAfter) -> None:
    """Write the end of a trial and what it makes of its study, in one statement."""
    values = {
        "outcome": ending.outcome,
        "reason": ending.reason,
        "step": ending.step,
        "values": list(ending.values),
        "bound": [f"{CONSTRAINT_PREFIX}{metric}" for metric in ending.excesses],
        "excesses": list(ending.excesses.values()),
        "is_feasible": ending.is_feasible if ending.excesses else None,
        "metrics": json.dumps(ending.metrics),
        "state": ending.state.upper(),
        "trial_id": trial_id,
        "lost": int(ending.outcome is Outcome.LOST),
        "study_id": study.study_id,
        "study_state": after.state,
        "study_reason": after.reason,
        "study_has_ended": after.state.is_ended,
        "failed_in_a_row": after.failed_in_a_row,
        "is_best": after.is_best,
    }
    connection.execute(_FINISH, values)


def prune_waiting(connection: sa.Connection, study_id: int, pruned: Mapping[int, Ending]) -> None:
    """Write that trials which waited are pruned, in one statement however many there are.

    Args:
        connection: In the transaction that locked the study.
        study_id: Of the study. Its state stays.
        pruned: The end of each by the id of the trial.
    """
    if not pruned:
        return
    rows = [
        {
            "trial_id": trial_id,
            "outcome": ending.outcome,
            "reason": ending.reason,
            "step": ending.step,
            "metrics": ending.metrics,
            "is_feasible": ending.is_feasible if ending.excesses else None,
            "values": list(ending.values),
            "bound": {f"{CONSTRAINT_PREFIX}{metric}": excess for metric, excess in ending.excesses.items()},
        }
        for trial_id, ending in pruned.items()
    ]
    connection.execute(_PRUNE_WAITING, {"study_id": study_id, "endings": json.dumps(rows)})
