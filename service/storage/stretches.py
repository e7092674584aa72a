"""Reads when workers had leases, drawn together to what a picture can show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

COLUMNS = 720
"""That a span of time has: of a day, two minutes each."""

MOST_LEASES = 20_000
"""That have ended, the last ones: to look at so many takes about 40 ms. What ended before is not shown."""


@dataclass(frozen=True)
class Stretches:
    """What a worker did in a span of time.

    Args:
        busy: (first, end) columns in which it had a lease.
        lost: Columns in which a lease of it ran out.
        busy_seconds: That it had any lease.
        trials: Leases that ended, or are alive.
        losses: Leases that ran out.
    """

    busy: Sequence[tuple[int, int]]
    lost: Sequence[int]
    busy_seconds: float
    trials: int
    losses: int


_LATELY = sa.text("""
    WITH span AS (SELECT clock_timestamp() AS until, clock_timestamp() - make_interval(secs => :seconds) AS since),
    lease AS (
      SELECT worker, greatest(leased_at, since) AS began, until AS ended, NULL AS outcome
      FROM trimtab_leases, span WHERE ended_at IS NULL AND worker = ANY(:workers)
      UNION ALL
      SELECT worker, greatest(leased_at, since), ended_at, outcome FROM span, LATERAL (
        SELECT worker, leased_at, ended_at, outcome FROM trimtab_leases
        WHERE ended_at IS NOT NULL AND ended_at > since ORDER BY ended_at DESC LIMIT :most) AS newest
      WHERE worker = ANY(:workers)
    ),
    placed AS (
      SELECT worker, began, ended, outcome,
        CAST(floor(CAST(extract(epoch FROM began - since) AS float8) / :column_seconds) AS int) AS first,
        least(:columns - 1, CAST(floor(CAST(extract(epoch FROM ended - since) AS float8) / :column_seconds) AS int))
          AS last
      FROM lease, span
    ),
    worked AS (
      SELECT worker, count(*) AS trials, count(*) FILTER (WHERE outcome = 'lost') AS losses,
        coalesce(json_agg(DISTINCT last) FILTER (WHERE outcome = 'lost'), '[]') AS lost,
        range_agg(int4range(least(first, last), last, '[]')) AS columns,
        range_agg(tstzrange(began, greatest(began, ended))) AS times
      FROM placed GROUP BY worker
    )
    SELECT worker, trials, losses, lost,
      (SELECT json_agg(json_build_array(lower(r), upper(r))) FROM unnest(columns) AS r) AS busy,
      (SELECT CAST(coalesce(sum(extract(epoch FROM upper(r) - lower(r))), 0) AS float8)
        FROM unnest(times) AS r) AS busy_seconds
    FROM worked
""")


def lately(connection: sa.Connection, workers: Sequence[str], *, seconds: float) -> Mapping[str, Stretches]:
    """Return what workers did in the last so many seconds, by name; one that had no lease is left out."""
    values = {
        "workers": list(workers),
        "seconds": seconds,
        "columns": COLUMNS,
        "column_seconds": seconds / COLUMNS,
        "most": MOST_LEASES,
    }
    rows = (dict(row) for row in connection.execute(_LATELY, values).mappings())
    return {row.pop("worker"): Stretches(**row) for row in rows}
