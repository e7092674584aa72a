"""How much there is of everything, for whoever watches: from counters and from what lives, never from the trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trimtab.states import StudyState

MOST_WORKERS = 256
"""That are shown by name. Whoever has a token of a worker may call itself anything, and each name lives on where it
was read."""

QUANTILES = (0.5, 0.9, 1.0)

_STUDIES = sa.text("""
    SELECT state, count(*) AS studies, CAST(sum(created + added - finished) AS bigint) AS open,
      CAST(sum(finished) AS bigint) AS finished
    FROM trimtab_studies GROUP BY state
""")

_LEASES = sa.text("""
    SELECT count(*), percentile_disc(:quantiles) WITHIN GROUP (
      ORDER BY greatest(0, CAST(extract(epoch FROM clock_timestamp() - renewed_at) AS float8)))
    FROM trimtab_leases WHERE ended_at IS NULL
""")

_WORKERS = sa.text("""
    SELECT name, count(l.lease_id) AS busy, device_memory_used AS memory_used, device_memory_total AS memory_total,
      count(*) OVER () AS alive
    FROM trimtab_workers w LEFT JOIN trimtab_leases l ON l.worker = w.name AND l.ended_at IS NULL
    GROUP BY name
    HAVING greatest(last_seen_at, max(l.renewed_at)) > clock_timestamp() - make_interval(secs => :lease_seconds)
    ORDER BY name LIMIT :most
""")


@dataclass(frozen=True)
class LiveWorker:
    """A worker that was heard of lately.

    Args:
        busy: Trials that it is on.
        memory_used: Of its device, in bytes; None: not known.
        memory_total: Likewise.
    """

    name: str
    busy: int
    memory_used: int | None
    memory_total: int | None


@dataclass(frozen=True)
class Overview:
    """What there is in the database.

    Args:
        studies: By state.
        waiting: Trials that wait for an attempt.
        running: Trials that are leased.
        finished: Trials that have ended.
        lease_ages: Seconds since a live lease was renewed, at each of QUANTILES; empty: there is none.
        alive: Workers that were heard of lately.
        workers: The first of them by name.
    """

    studies: Mapping[StudyState, int]
    waiting: int
    running: int
    finished: int
    lease_ages: Sequence[float]
    alive: int
    workers: Sequence[LiveWorker]


def overview(connection: sa.Connection, *, lease_seconds: float) -> Overview:
    """Look at all studies, live leases and workers."""
    studies = connection.execute(_STUDIES).all()
    running, ages = connection.execute(_LEASES, {"quantiles": list(QUANTILES)}).one()
    workers = connection.execute(_WORKERS, {"lease_seconds": lease_seconds, "most": MOST_WORKERS}).all()
    by_state = {StudyState(row.state): row.studies for row in studies}
    return Overview(
        studies={state: by_state.get(state, 0) for state in StudyState},
        # A trial that began between two looks is not waiting.
        waiting=max(0, sum(row.open for row in studies) - running),
        running=running,
        finished=sum(row.finished for row in studies),
        lease_ages=ages or (),
        alive=workers[0].alive if workers else 0,
        workers=[LiveWorker(row.name, row.busy, row.memory_used, row.memory_total) for row in workers],
    )
