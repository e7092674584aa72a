"""Reads what samplers and pruners learn from: the trials of a study, the finished ones each once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.dimensions import Point
from trimtab.states import Direction, Outcome, TrialState

Attributes = Mapping[str, Any]
"""What is kept with a trial, by Optuna's name of it: plain JSON."""


@dataclass(frozen=True)
class FinishedTrial:
    """A trial that has ended; it never changes again.

    Args:
        order: It was the n-th of its study to end, from 1.
        values: Of the objectives; for a pruned trial of one objective the last one reported. Empty: there are none.
        step: The last one; None if none was reported.
        point: Its parameters.
        attributes: What the sampler and the constraints left with it, by Optuna's names.
        last: The last value by which a pruned trial was stopped; None: it is not finite, or there is none.
    """

    order: int
    number: int
    state: TrialState
    outcome: Outcome
    values: Sequence[float]
    step: int | None
    point: Point
    attributes: Attributes = field(default_factory=dict)
    last: float | None = None


@dataclass(frozen=True)
class OpenTrial:
    """A trial that runs, or waits for its next attempt."""

    number: int
    point: Point
    attributes: Attributes = field(default_factory=dict)


POINT = "(SELECT json_object_agg(param_name, param_value) FROM trial_params p WHERE p.trial_id = t.trial_id)"
"""The parameters of the trial `t` as one JSON object; null where it has none."""

# Those of samplers and of constraints: a pruner leaves some too.
_ATTRIBUTES = """coalesce((
      SELECT json_object_agg(key, CAST(value_json AS json)) FROM trial_system_attributes a
      WHERE a.trial_id = t.trial_id
        AND (key LIKE 'constraints:%' OR key LIKE '%:generation' OR key LIKE '%:parent:%')
    ), '{}')"""

_FINISHED = prepared(
    "finished",
    f"""
    SELECT o.finish_order, t.number, lower(CAST(t.state AS text)) AS state, o.outcome,
      ARRAY(SELECT v.value FROM trial_values v WHERE v.trial_id = t.trial_id ORDER BY objective) AS values,
      o.step, coalesce({POINT}, '{{}}') AS point, {_ATTRIBUTES} AS attributes,
      CASE WHEN t.state = 'PRUNED' THEN (
        SELECT intermediate_value FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id
        ORDER BY step DESC LIMIT 1) END AS last
    FROM trimtab_trials o
    JOIN trials t USING (trial_id)
    WHERE o.study_id = :study_id AND o.finish_order > :known
    ORDER BY o.finish_order
""",
)

_OPEN = prepared(
    "open",
    f"""
    SELECT t.number, coalesce({POINT}, '{{}}'), {_ATTRIBUTES}
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


_RUNGS_OF = r"""(SELECT json_object_agg(key, CAST(value_json AS json)) FROM trial_system_attributes a
      WHERE a.trial_id = o.trial_id AND key LIKE 'completed\_rung\_%' AND key NOT LIKE '%\_step')"""

_RUNGS = prepared(
    "rivals",
    f"""
    SELECT number, finish_order, {_RUNGS_OF} FROM trimtab_trials o
    WHERE study_id = :study_id AND finish_order > :known
    UNION ALL
    SELECT number, NULL, {_RUNGS_OF} FROM trimtab_trials o
    WHERE study_id = :study_id AND finish_order IS NULL
""",
)

# Of equals the one that ended first, as Optuna has it.
_BEST = """
    SELECT o.trial_id FROM trimtab_trials o
    JOIN trials t USING (trial_id)
    JOIN trial_values v ON v.trial_id = o.trial_id AND v.objective = :objective
    WHERE o.study_id = :study_id AND t.state = 'COMPLETE' AND o.is_feasible IS NOT FALSE
      AND v.value_type = 'FINITE'
    ORDER BY v.value {order}, o.finish_order LIMIT 1
"""

_CURVE = sa.text(
    "SELECT step, intermediate_value FROM trial_intermediate_values WHERE trial_id = :trial_id ORDER BY step"
)


def finished(connection: sa.Connection, study_id: int, *, known: int) -> list[FinishedTrial]:
    """Return the trials that ended after the first `known` ones, in the order in which they ended."""
    rows = connection.execute(_FINISHED, {"study_id": study_id, "known": known})
    return [_finished(row) for row in rows]


def unfinished(connection: sa.Connection, study_id: int) -> list[OpenTrial]:
    """Return the trials that run or wait, by number."""
    return [OpenTrial(*row) for row in connection.execute(_OPEN, {"study_id": study_id})]


def curves(connection: sa.Connection, study_id: int, *, known: int) -> list[tuple[int, Mapping[int, float | None]]]:
    """Return (finish order, step -> value of the objective) of each complete trial after the first `known` ones."""
    return [
        (order, dict(zip(steps or (), values or (), strict=True)))
        for order, steps, values in connection.execute(_CURVES, {"study_id": study_id, "known": known})
    ]


@dataclass(frozen=True)
class RungsOfTrial:
    """The values of a trial at the rungs that it came to, by Optuna's name of each.

    Args:
        order: It was the n-th of its study to end; None: it has not ended.
    """

    number: int
    order: int | None
    values: Mapping[str, float]


def rungs(connection: sa.Connection, study_id: int, *, known: int) -> list[RungsOfTrial]:
    """Return the rungs of all trials but the first `known` ones that ended."""
    rows = connection.execute(_RUNGS, {"study_id": study_id, "known": known})
    return [RungsOfTrial(number, order, values or {}) for number, order, values in rows]


def best_curve(
    connection: sa.Connection, study_id: int, *, objective: int, direction: Direction
) -> dict[int, float | None] | None:
    """Return the curve of the best complete trial that keeps its constraints; None: there is none.

    Args:
        connection: To read on.
        study_id: Of the study.
        objective: By which it is the best: its position, from 0.
        direction: Of that objective.
    """
    order = "ASC" if direction is Direction.MINIMIZE else "DESC"
    trial_id = connection.execute(sa.text(_BEST.format(order=order)), {"study_id": study_id, "objective": objective})
    best = trial_id.scalar_one_or_none()
    if best is None:
        return None
    return {step: value for step, value in connection.execute(_CURVE, {"trial_id": best})}  # noqa: C416  # of rows, not of pairs


def _finished(row: sa.Row[tuple[Any, ...]]) -> FinishedTrial:
    values = row._asdict()
    return FinishedTrial(
        order=values.pop("finish_order"),
        state=TrialState(values.pop("state")),
        outcome=Outcome(values.pop("outcome")),
        **values,
    )
