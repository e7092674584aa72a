"""What time it is by PostgreSQL."""

from datetime import datetime

import sqlalchemy as sa

_NOW = sa.text("SELECT clock_timestamp()")


def now(connection: sa.Connection) -> datetime:
    """Return the time at which the database answers."""
    told: datetime = connection.execute(_NOW).scalar_one()
    return told
