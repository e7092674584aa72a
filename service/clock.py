"""What time it is by the database, which all replicas go by: their own clocks may be wrong by hours."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from service.database import autocommit
from service.storage import clock

KEPT_SECONDS = 10.0
"""Before the database is asked again: its clock may be put right, and a machine that slept has counted nothing."""


class Clock:
    """Tells the database's time, and asks the database for it now and then only.

    Args:
        engine: Of the database.
        steady: Seconds that only go forward.
    """

    def __init__(self, engine: sa.Engine, steady: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._steady = steady
        self._told: tuple[float, datetime] | None = None

    def now(self) -> datetime:
        """Return the time, never behind the database's by more than the two clocks part in KEPT_SECONDS.

        Raises:
            Unavailable: The database is away or busy.
        """
        told = self._told
        if told is None or self._steady() - told[0] >= KEPT_SECONDS:
            told = self._told = self._asked()
        asked_at, by_database = told
        return by_database + timedelta(seconds=self._steady() - asked_at)

    def _asked(self) -> tuple[float, datetime]:
        # The time before the question: what takes long makes the clock go ahead, so that nothing is yet to come.
        asked_at = self._steady()
        with autocommit(self._engine) as connection:
            return asked_at, clock.now(connection)
