"""Deletes what nobody needs any more."""

import sqlalchemy as sa

# A worker's name holds its process, so each start makes a new one.
_WORKERS = sa.text("""
    DELETE FROM trimtab_workers w
    WHERE last_seen_at < clock_timestamp() - interval '1 day'
      AND NOT EXISTS (SELECT FROM trimtab_leases l WHERE l.worker = w.name AND l.ended_at IS NULL)
""")

# By then the worker of a deleted study has asked, or will never ask again.
_TOMBSTONES = sa.text("DELETE FROM trimtab_tombstones WHERE deleted_at < clock_timestamp() - interval '7 days'")


def forget(connection: sa.Connection) -> None:
    """Delete workers that were not seen for a day, and the tombstones of studies deleted a week ago."""
    connection.execute(_WORKERS)
    connection.execute(_TOMBSTONES)
