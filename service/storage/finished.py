"""Reads what samplers and pruners learn from: the trials of a study, the finished ones each once."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.dimensions import Point
from trimtab.states import Outcome, TrialState


@dataclass(frozen=True)
class FinishedTrial:
    """A trial that has ended; it never changes again.

    Args:
        order: It was the n-th of its study to end, from 1.
        value: Of the objective; for a pruned trial the last one reported.
        step: The last one; None if none was reported.
    """

    order: int
    number: int
    state: TrialState
    outcome: Outcome
    value: float | None
    step: int | None
    point: Point


@dataclass(frozen=True)
class OpenTrial:
    """A trial that runs, or waits for its next attempt."""

    number: int
    point: Point


_POINT = "(SELECT json_object_agg(param_name, param_value) FROM trial_params p WHERE p.trial_id = t.trial_id)"

_FINISHED = prepared(
    "finished",
    f"""
    SELECT o.finish_order, t.number, lower(CAST(t.state AS text)), o.outcome, v.value, o.step, {_POINT}
    FROM trimtab_trials o
    JOIN trials t USING (trial_id)
    LEFT JOIN trial_values v ON v.trial_id = o.trial_id AND v.objective = 0
    WHERE o.study_id = :study_id AND o.finish_order > :known
    ORDER BY o.finish_order
""",
)

_OPEN = prepared(
    "open",
    f"""
    SELECT t.number, {_POINT}
    FROM trials t WHERE study_id = :study_id AND state IN ('RUNNING', 'WAITING') ORDER BY number
""",
)

# The curves of complete trials: what a pruner compares with.
_CURVES = sa.text("""
    SELECT o.finish_order, i.steps, i.values
    FROM trimtab_trials o
    JOIN trials t USING (trial_id)
    CROSS JOIN LATERAL (
      SELECT array_agg(step) AS steps, array_agg(intermediate_value) AS values
      FROM trial_intermediate_values i WHERE i.trial_id = o.trial_id
    ) AS i
    WHERE o.study_id = :study_id AND o.finish_order > :known AND t.state = 'COMPLETE'
    ORDER BY o.finish_order
""")


def finished(connection: sa.Connection, study_id: int, *, known: int) -> list[FinishedTrial]:
    """Return the trials that ended after the first `known` ones, in the order in which they ended."""
    return [
        FinishedTrial(order, number, TrialState(state), Outcome(outcome), value, step, point)
        for order, number, state, outcome, value, step, point in connection.execute(
            _FINISHED, {"study_id": study_id, "known": known}
        )
    ]


def unfinished(connection: sa.Connection, study_id: int) -> list[OpenTrial]:
    """Return the trials that run or wait, by number."""
    return [OpenTrial(*row) for row in connection.execute(_OPEN, {"study_id": study_id})]


def curves(connection: sa.Connection, study_id: int, *, known: int) -> list[tuple[int, Mapping[int, float | None]]]:
    """Return (finish order, step -> value of the objective) of each complete trial after the first `known` ones."""
    return [
        (order, dict(zip(steps or (), values or (), strict=True)))
        for order, steps, values in connection.execute(_CURVES, {"study_id": study_id, "known": known})
    ]
