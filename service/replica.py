"""What every use case works with: one replica's parts, chosen in service.app."""

from dataclasses import dataclass, field
from functools import cached_property
from threading import BoundedSemaphore

import sqlalchemy as sa

from service.artifacts import Artifacts
from service.changes import Changes
from service.clock import Clock
from service.courses import Courses
from service.dashboard.asking import Dashboard
from service.kept import Kept
from service.memory import Memory
from service.meters import Meters
from service.rankings import Rankings


@dataclass(frozen=True)
class Replica:
    """One running service.

    Args:
        engine: The pool of database connections.
        lease_seconds: How long a lease lives without a sign of its worker.
        memory: What was read from the database and never changes there.
        rankings: Likewise, by what trials are sorted.
        courses: Likewise, how studies went on.
        offers: Who waits for a trial to train.
        changes: Who waits for a study to change.
        streams: Who reads a stream until the replica goes down.
        artifacts: Where files are; by default, in memory, they go with the process.
        max_checkpoint_bytes: That a checkpoint may have.
        max_dataset_bytes: That the file of a data set may have.
        readers: How many such files may still be read at once.
        kept: What took long to make of studies.
        dashboard: Optuna's.
    """

    engine: sa.Engine
    lease_seconds: float
    memory: Memory = field(default_factory=Memory)
    rankings: Rankings = field(default_factory=Rankings)
    courses: Courses = field(default_factory=Courses)
    offers: Changes = field(default_factory=Changes)
    changes: Changes = field(default_factory=Changes)
    streams: Changes = field(default_factory=Changes)
    artifacts: Artifacts = field(default_factory=lambda: Artifacts("memory://trimtab"))
    max_checkpoint_bytes: int = 2**30
    max_dataset_bytes: int = 2**31
    readers: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(2))
    kept: Kept = field(default_factory=Kept)
    dashboard: Dashboard = field(default_factory=Dashboard)

    @property
    def meters(self) -> Meters:
        """What it counts and times of its own work."""
        return self.memory.meters

    @cached_property
    def clock(self) -> Clock:
        """The time, the same as all other replicas have it."""
        return Clock(self.engine)

    def close(self) -> None:
        """Let nobody wait any longer: the replica is going down."""
        self.offers.close()
        self.changes.close()
        self.streams.close()
        self.kept.close()
        self.memory.children.close()
        self.dashboard.close()
