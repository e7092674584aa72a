"""Reads which tasks are trained: those of the workers that are alive, however many others were there before them."""

import sqlalchemy as sa

# Alive as in the list of workers: heard of lately, by an ask or by what renews a lease.
_ALIVE = sa.text("""
    SELECT DISTINCT unnest(tasks) FROM trimtab_workers
    WHERE last_seen_at > clock_timestamp() - make_interval(secs => :lease_seconds)
      OR name IN (SELECT worker FROM trimtab_leases
        WHERE ended_at IS NULL AND renewed_at > clock_timestamp() - make_interval(secs => :lease_seconds))
""")


def alive(connection: sa.Connection, *, lease_seconds: float) -> frozenset[str]:
    """Return the tasks that workers have that were heard of within so many seconds."""
    return frozenset(connection.execute(_ALIVE, {"lease_seconds": lease_seconds}).scalars())
