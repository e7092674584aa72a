"""What was done to the system, and when: a chaos run judges what became of it by this."""

from dataclasses import dataclass, field
from math import inf

DATABASE = "the database"
ALL_REPLICAS = "all replicas"


@dataclass(frozen=True)
class Blow:
    """A worker could do nothing from `begin` to `end`, in seconds of the time of day. A killed one never again."""

    worker: str
    begin: float
    end: float = inf

    @property
    def is_kill(self) -> bool:
        """Whether it is gone for good."""
        return self.end == inf


@dataclass(frozen=True)
class Outage:
    """`what`, DATABASE or ALL_REPLICAS, was away from `begin` to `end`."""

    what: str
    begin: float
    end: float


@dataclass
class Log:
    """All of it, in order.

    Args:
        wrong: What went wrong with the system by itself, in words.
    """

    blows: list[Blow] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    crashes: int = 0
    replicas_killed: int = 0
    blackholes: int = 0
    wrong: list[str] = field(default_factory=list)

    def is_outage(self, begin: float, end: float) -> bool:
        """Return whether something was away at some time in between."""
        return any(outage.begin < end and outage.end > begin for outage in self.outages)
