"""When a replica last met the database: one row, and what it has to do with leases.

While nobody could renew a lease none may run out. Whoever is back first extends all of them by the time that nobody was
there; until then the row is old, and no statement ends a lease while it is.
"""

from datetime import timedelta

import sqlalchemy as sa

_IS_FRESH = "seen_at > statement_timestamp() - interval '2 s'"

IS_FRESH = f"(SELECT {_IS_FRESH} FROM trimtab_liveness)"
"""For the WHERE of what ends a lease because of its time: has somebody been there to renew it?

The row is renewed each second. After 2 s at least one renewal has failed, and nothing shorter is told from a slow one.
"""

# Never backwards: another replica may have been faster.
_RENEW = sa.text(f"""
    UPDATE trimtab_liveness SET seen_at = greatest(seen_at, statement_timestamp()) WHERE {_IS_FRESH}
""")

_LOCK = sa.text("SELECT FROM trimtab_liveness FOR UPDATE")

# A lease that was made or renewed when the service was back already is extended by the time since then only.
_EXTEND = sa.text(f"""
    WITH away AS MATERIALIZED (
      SELECT seen_at, statement_timestamp() AS back_at FROM trimtab_liveness WHERE NOT {_IS_FRESH}
    ), lease AS (
      UPDATE trimtab_leases SET
        expires_at = expires_at + (back_at - greatest(seen_at, renewed_at)),
        trial_due_at = trial_due_at + (back_at - greatest(seen_at, leased_at)),
        due_at = due_at + (back_at - greatest(seen_at, leased_at))
      FROM away
      WHERE ended_at IS NULL
    )
    UPDATE trimtab_liveness SET seen_at = back_at FROM away RETURNING back_at - away.seen_at AS gap
""")


def renew(connection: sa.Connection) -> bool:
    """Note that a replica and the database are there; return False, with nothing written, if neither was for long."""
    return connection.execute(_RENEW).rowcount == 1


def extend(connection: sa.Connection) -> timedelta | None:
    """Extend each lease that is not ended by the time since the row was last renewed, and renew the row.

    One that had run out before is then as much too late as it was.

    Args:
        connection: In a transaction that has locked nothing.

    Returns:
        How long nobody was there; None, with nothing written, if somebody else has done it already.
    """
    connection.execute(_LOCK)
    gap: timedelta | None = connection.execute(_EXTEND).scalar_one_or_none()
    return gap
