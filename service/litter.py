"""Files of checkpoints that nobody needs any more."""

from service import artifacts
from service.database import autocommit, transaction
from service.replica import Replica
from service.storage import checkpoints as stored

ORPHAN_SECONDS = 86_400.0
"""A file that no row names by then never will be: it was being written when its replica died."""


def clear(replica: Replica) -> None:
    """Delete the checkpoints of finished trials, but of each study's best, and files that no row has named for a day.

    Raises:
        Unavailable: The database is away or busy.
    """
    with transaction(replica.engine) as connection:
        needless = stored.drop_finished(connection)
    replica.artifacts.delete_all(needless)
    old = [path for path in replica.artifacts.paths() if (artifacts.age_of(path) or 0.0) > ORPHAN_SECONDS]
    with autocommit(replica.engine) as connection:
        named = stored.named(connection, old)
    replica.artifacts.delete_all(path for path in old if path not in named)
