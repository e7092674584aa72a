"""Reads the trials of a study in the order in which they ended, with what each came to and when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from trimtab.states import Origin, TrialState


@dataclass(frozen=True)
class EndedTrial:
    """A trial that has ended.

    Args:
        began_at: Its first lease; None: it came already finished.
        ended_at: Likewise the end of its last one.
        values: Of the objectives; empty where there are none.
        last: The last finite value reported of the metric that stops trials; None: none was.
        sequence: It was the n-th that was sampled, from 0; None: it was not.
    """

    number: int
    state: TrialState
    origin: Origin
    sequence: int | None
    is_feasible: bool | None
    began_at: datetime | None
    ended_at: datetime | None
    values: Sequence[float]
    last: float | None


_ENDED = sa.text("""
    SELECT o.number, lower(CAST(t.state AS text)), o.origin, o.sequence, o.is_feasible,
      lease.first_at, lease.last_at,
      ARRAY(SELECT value FROM trial_values v
        WHERE v.trial_id = o.trial_id AND v.value_type = 'FINITE' ORDER BY objective),
      (SELECT intermediate_value FROM trial_intermediate_values i
        WHERE i.trial_id = o.trial_id AND i.intermediate_value_type = 'FINITE' ORDER BY step DESC LIMIT 1)
    FROM trimtab_trials o
    JOIN trials t USING (trial_id)
    CROSS JOIN LATERAL (
      SELECT min(leased_at) AS first_at, max(ended_at) AS last_at FROM trimtab_leases l WHERE l.trial_id = o.trial_id
    ) AS lease
    WHERE o.study_id = :study_id AND o.finish_order IS NOT NULL
    ORDER BY o.finish_order
""")


def ended(connection: sa.Connection, study_id: int) -> list[EndedTrial]:
    """Return the trials of a study that have ended, in the order in which they did."""
    return [
        EndedTrial(number, TrialState(state), Origin(origin), *rest)
        for number, state, origin, *rest in connection.execute(_ENDED, {"study_id": study_id})
    ]
