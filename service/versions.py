"""Which versions serve."""

from importlib.metadata import version

from service.database import autocommit
from service.replica import Replica
from service.storage.stamps import stamps
from trimtab.protocol import PROTOCOL, Version


def versions(replica: Replica) -> Version:
    """Return the versions of this replica, of its database with its schemas, and of the protocol.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        ours, optunas, postgresql = stamps(connection)
    return Version(
        service=version("trimtab"),
        schema_version=ours,
        optuna_schema=optunas,
        postgresql=postgresql,
        protocol=PROTOCOL,
    )
