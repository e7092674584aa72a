"""Reads what the doctor looks at: the best trials of a study, how its trials ended, and at which learning rates."""

from collections.abc import Sequence

import sqlalchemy as sa

from trimtab.message import Metrics
from trimtab.states import Direction, Outcome

_TOP = sa.text("""
    SELECT o.trial_id
    FROM trimtab_trials o JOIN trials t USING (trial_id)
    JOIN trial_values v ON v.trial_id = o.trial_id AND v.objective = 0
    WHERE o.study_id = :study_id AND t.state = 'COMPLETE' AND o.is_feasible IS NOT FALSE
    ORDER BY v.value * :sign, o.number LIMIT :limit
""")

_OUTCOMES = sa.text("""
    SELECT outcome, count(*) FROM trimtab_trials WHERE study_id = :study_id AND outcome IS NOT NULL GROUP BY outcome
""")

_LEARNING_RATES = sa.text("""
    SELECT p.param_value, v.value, coalesce(o.metrics, '{}')
    FROM trimtab_trials o
    JOIN trial_params p ON p.trial_id = o.trial_id AND p.param_name = 'learning_rate'
    LEFT JOIN trial_values v ON v.trial_id = o.trial_id AND v.objective = 0 AND v.value_type = 'FINITE'
    WHERE o.study_id = :study_id AND (v.value IS NOT NULL AND o.outcome = 'complete' OR o.outcome = 'diverged')
    ORDER BY o.number
""")


def top(connection: sa.Connection, study_id: int, direction: Direction, *, limit: int) -> list[int]:
    """Return the ids of up to `limit` complete and feasible trials, the best by the first objective first."""
    values = {"study_id": study_id, "sign": direction.sign, "limit": limit}
    return list(connection.execute(_TOP, values).scalars())


def outcomes(connection: sa.Connection, study_id: int) -> dict[Outcome, int]:
    """Return how many trials of a study ended how."""
    return {Outcome(name): trials for name, trials in connection.execute(_OUTCOMES, {"study_id": study_id})}


def learning_rates(connection: sa.Connection, study_id: int) -> Sequence[tuple[float, float | None, Metrics]]:
    """Return of each trial that is complete or diverged learning rate, first value (None: it diverged), figures.

    The learning rate is as it is stored: of choices the number of the one that was chosen.
    """
    return [
        (rate, value, metrics) for rate, value, metrics in connection.execute(_LEARNING_RATES, {"study_id": study_id})
    ]
