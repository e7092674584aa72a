"""Notes each second that the service is there, and extends the leases after an outage.

An outage is of the database, or of all replicas: as long as one renews the row, there is none.
"""

import logging

import sqlalchemy as sa

from service.database import autocommit, transaction
from service.storage import liveness

INTERVAL_SECONDS = 1.0

_log = logging.getLogger(__name__)


def renew(engine: sa.Engine) -> None:
    """Note that the service is there; if it was away, extend all leases that lived then by as long, once.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(engine) as connection:
        if liveness.renew(connection):
            return
    with transaction(engine) as connection:
        gap = liveness.extend(connection)
    if gap:
        _log.warning("the service was away for %.1f s: leases that lived then live on as long", gap.total_seconds())
