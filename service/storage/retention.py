"""Deletes what nobody needs any more."""

from collections.abc import Sequence

import sqlalchemy as sa

# A worker's name holds its process, so each start makes a new one.
_WORKERS = sa.text("""
    DELETE FROM trimtab_workers w
    WHERE last_seen_at < clock_timestamp() - interval '1 day'
      AND NOT EXISTS (SELECT FROM trimtab_leases l WHERE l.worker = w.name AND l.ended_at IS NULL)
""")

# By then the worker of a deleted study has asked, or will never ask again.
_TOMBSTONES = sa.text("DELETE FROM trimtab_tombstones WHERE deleted_at < clock_timestamp() - interval '7 days'")

_KEYS = sa.text("DELETE FROM trimtab_keys WHERE created_at < clock_timestamp() - interval '24 hours'")

_NAMED = sa.text("""
    SELECT path FROM trimtab_checkpoints WHERE path = ANY(:paths)
    UNION SELECT path FROM trimtab_datasets WHERE path = ANY(:paths)
    UNION SELECT path FROM trimtab_models WHERE path = ANY(:paths)
""")


def forget(connection: sa.Connection) -> None:
    """Delete workers not seen for a day, tombstones of studies deleted a week ago, and answers kept for a day."""
    connection.execute(_WORKERS)
    connection.execute(_TOMBSTONES)
    connection.execute(_KEYS)


def named(connection: sa.Connection, paths: Sequence[str]) -> set[str]:
    """Return those of these files that a row names."""
    return set(connection.execute(_NAMED, {"paths": list(paths)}).scalars())
