"""What every use case works with: one replica's parts, chosen in service.app."""

from dataclasses import dataclass, field

import sqlalchemy as sa

from service.changes import Changes
from service.memory import Memory


@dataclass(frozen=True)
class Replica:
    """One running service.

    Args:
        engine: The pool of database connections.
        lease_seconds: How long a lease lives without a sign of its worker.
        memory: What was read from the database and never changes there.
        changes: Who waits.
    """

    engine: sa.Engine
    lease_seconds: float
    memory: Memory = field(default_factory=Memory)
    changes: Changes = field(default_factory=Changes)
