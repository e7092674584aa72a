"""Reads what has ended in studies since a look: how many trials, and which of them were better than all before."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa


@dataclass(frozen=True)
class Ended:
    """What has ended in a study since a look at it.

    Args:
        last: How many trials have ended.
        complete: Of those that ended since the look.
        pruned: Likewise.
        failed: Likewise.
        steps: (how many trials had ended, the value) each time that a trial was better than all before.
    """

    study_id: int
    last: int
    complete: int
    pruned: int
    failed: int
    steps: Sequence[tuple[int, float]]


# Row by row by an index, so that what a look costs goes by what has ended since the one before.
_ENDED = sa.text("""
    SELECT seen.study_id, e.*
    FROM unnest(CAST(:study_ids AS bigint[]), CAST(:last AS int[]), CAST(:best AS float8[]))
      AS seen (study_id, last, best)
    JOIN study_directions d ON d.study_id = seen.study_id AND d.objective = 0
    CROSS JOIN LATERAL (
      SELECT coalesce(max(finish_order), seen.last) AS last,
        count(*) FILTER (WHERE state = 'COMPLETE') AS complete,
        count(*) FILTER (WHERE state = 'PRUNED') AS pruned,
        count(*) FILTER (WHERE state = 'FAIL') AS failed,
        coalesce(json_agg(json_build_array(finish_order, value) ORDER BY finish_order)
          FILTER (WHERE sign * value < least(sign * seen.best, best_before)), '[]') AS steps
      FROM (
        SELECT finish_order, state, value, sign,
          coalesce(min(sign * value) OVER (
            ORDER BY finish_order ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 'infinity') AS best_before
        FROM (
          SELECT finish_order, state, CASE WHEN d.direction = 'MAXIMIZE' THEN -1 ELSE 1 END AS sign,
            CASE WHEN state = 'COMPLETE' AND is_feasible IS NOT FALSE THEN (
              SELECT value FROM trial_values v
              WHERE v.trial_id = o.trial_id AND v.objective = 0 AND v.value_type = 'FINITE') END AS value
          FROM (
            SELECT trial_id, finish_order, is_feasible,
              (SELECT t.state FROM trials t WHERE t.trial_id = ours.trial_id) AS state
            FROM trimtab_trials ours
            WHERE ours.study_id = seen.study_id AND ours.finish_order > seen.last
          ) AS o
        ) AS valued
      ) AS ranked
    ) AS e
""")


def ended(connection: sa.Connection, seen: Sequence[tuple[int, int, float | None]]) -> list[Ended]:
    """Return what has ended in studies since a look.

    Args:
        connection: To the database.
        seen: Of each study its id, how many trials had ended, and the best value of them; None: there was none.
    """
    study_ids, last, best = zip(*seen, strict=True)
    values = {"study_ids": list(study_ids), "last": list(last), "best": list(best)}
    return [Ended(**row) for row in connection.execute(_ENDED, values).mappings()]
