"""Notes each second that the service is there, and extends the leases after an outage.

An outage is of the database, or of all replicas: as long as one renews the row, there is none.
"""

import logging
from datetime import timedelta

import sqlalchemy as sa

from service.database import autocommit, transaction
from service.storage import liveness

INTERVAL_SECONDS = 1.0

_log = logging.getLogger(__name__)


def renew(engine: sa.Engine) -> timedelta | None:
    """Note that the service is there; if it was away, extend all leases that lived then by as long, once.

    Returns:
        How long it was away, if this call extended the leases; None: it was not, or another call did.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(engine) as connection:
        if liveness.renew(connection):
            return None
    with transaction(engine) as connection:
        gap = liveness.extend(connection)
    if gap:
        seconds = gap.total_seconds()
        _log.warning("the service was away for %(seconds).1f s: leases that lived then live on", {"seconds": seconds})
    return gap
