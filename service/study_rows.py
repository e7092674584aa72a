"""A study as it is stored now, for whoever waits on the event loop."""

import asyncio

from service.database import autocommit
from service.replica import Replica
from service.storage import studies
from service.storage.studies import StudyRow


async def read(replica: Replica, name: str) -> StudyRow:
    """Return the row of a study; no thread is kept, and no connection.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    return await asyncio.to_thread(_read, replica, name)


def _read(replica: Replica, name: str) -> StudyRow:
    with autocommit(replica.engine) as connection:
        return studies.require(connection, name)
