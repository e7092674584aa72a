"""A study as it is stored now, for whoever needs no more of it than that."""

import asyncio

from service.database import autocommit
from service.replica import Replica
from service.storage import studies
from service.storage.studies import StudyRow


async def read(replica: Replica, name: str) -> StudyRow:
    """Return the row of a study, on the event loop; no thread is kept, and no connection.

    Raises:
        StudyNotFound, Unavailable: As for read_here.
    """
    return await asyncio.to_thread(read_here, replica, name)


def read_here(replica: Replica, name: str) -> StudyRow:
    """Return the row of a study, in a thread that may wait.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        return studies.require(connection, name)
