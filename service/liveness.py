"""Notes each second that the service is there, and extends the leases after an outage.

An outage is of the database, or of all replicas: as long as one renews the row, there is none.
"""

import logging
import threading

import sqlalchemy as sa

from service.database import autocommit, transaction
from service.storage import liveness
from trimtab.errors import Unavailable

INTERVAL_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Liveness:
    """A thread that renews the row of liveness until it is stopped, at once when it begins.

    Not the sweep's: a sweep of many leases takes longer than the row may be old.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="liveness", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is under way."""
        self._is_stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                renew(self._engine)
            except Unavailable as error:
                _log.warning("liveness: %s", error)
            except Exception:  # noqa: BLE001  # without it no lease would ever be ended again
                _log.exception("liveness failed")
            if self._is_stopping.wait(INTERVAL_SECONDS):
                return


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
