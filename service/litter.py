"""What nobody needs any more: old rows, and files that no row names."""

from service import artifacts
from service.database import autocommit, transaction
from service.replica import Replica
from service.storage import checkpoints as stored
from service.storage import retention, trial_logs

INTERVAL_SECONDS = 3600.0

ORPHAN_SECONDS = 86_400.0
"""A file that no row names by then never will be: it was being written when its replica died."""

LOGS_DAYS = 30
"""Since the lease ended: long enough to look into why a study went as it did."""


def forget(replica: Replica) -> None:
    """Delete old rows and logs, the checkpoints of finished trials but of each study's best, and files without a row.

    Raises:
        Unavailable: The database is away or busy.
    """
    with transaction(replica.engine) as connection:
        retention.forget(connection)
    _forget_logs(replica)
    with transaction(replica.engine) as connection:
        needless = stored.drop_finished(connection)
    replica.artifacts.delete_all(needless)
    old = [path for path in replica.artifacts.paths() if (artifacts.age_of(path) or 0.0) > ORPHAN_SECONDS]
    with autocommit(replica.engine) as connection:
        named = retention.named(connection, old)
    replica.artifacts.delete_all(path for path in old if path not in named)


def _forget_logs(replica: Replica) -> None:
    is_any_left = True
    while is_any_left:
        with transaction(replica.engine) as connection:
            is_any_left = trial_logs.forget(connection, days=LOGS_DAYS) > 0
