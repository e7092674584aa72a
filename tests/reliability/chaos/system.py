"""What is done to all of it while it runs: PostgreSQL, replicas, the proxy before them, and the workers."""

from dataclasses import dataclass
from random import Random

from service.embedded.cluster import Cluster
from tests.reliability.chaos.agenda import Agenda
from tests.reliability.chaos.aim import LEASE_SECONDS
from tests.reliability.chaos.crew import Crew
from tests.reliability.chaos.database import crash
from tests.reliability.chaos.log import DATABASE, Log, Outage
from tests.reliability.chaos.plan import Fault
from tests.reliability.chaos.proxy import Proxy
from tests.reliability.chaos.service import Service
from tests.reliability.journal import now

LONGEST_DARK_SECONDS = 0.8
LONGEST_AWAY_SECONDS = 1.5

# One outage of so many is longer than a lease.
_LONG_ONE_OF = 5

# Requests under way when a worker is stopped, delayed or repeated, may renew its lease for up to a second.
_STOP_SECONDS = (LEASE_SECONDS + 1.0, LEASE_SECONDS + 2.0)


@dataclass
class System:
    """What runs, and what is noted of it.

    Args:
        chance: Draws victims and durations.
    """

    cluster: Cluster
    service: Service
    proxy: Proxy
    crew: Crew
    agenda: Agenda
    log: Log
    chance: Random
    _has_database: bool = True

    @property
    def is_whole(self) -> bool:
        """Whether everything is there again."""
        return self._has_database and self.service.is_whole and self.crew.is_whole

    def suffer(self, fault: Fault) -> None:
        """Do what the plan says."""
        match fault:
            case Fault.KILL:
                self.crew.kill(self.chance)
            case Fault.STOP:
                self._stop()
            case Fault.CRASH:
                self._crash()
            case Fault.REPLICA:
                self.service.kill([self.chance.choice(self.service.replicas)], away_seconds=self.chance.random())
            case Fault.REPLICAS:
                self.service.kill(self.service.replicas, away_seconds=self._away_seconds())
            case Fault.BLACKHOLE:
                self.proxy.go_dark(self.chance.random() * LONGEST_DARK_SECONDS)
                self.log.blackholes += 1

    def _stop(self) -> None:
        name = self.crew.stop(self.chance)
        self.agenda.add(self.chance.uniform(*_STOP_SECONDS), lambda: self.crew.resume(name))

    def _crash(self) -> None:
        if not self._has_database:
            self.agenda.add(LONGEST_AWAY_SECONDS, self._crash)
            return
        begin = now()
        self._has_database = False
        crash(self.cluster.folder, self.chance)
        self.log.crashes += 1
        self.agenda.add(self._away_seconds(), lambda: self._recover(begin))

    def _recover(self, begin: float) -> None:
        self.cluster.start()
        self._has_database = True
        self.log.outages.append(Outage(DATABASE, begin, now()))

    def _away_seconds(self) -> float:
        is_long = self.chance.randrange(_LONG_ONE_OF) == 0
        return LEASE_SECONDS + 1.0 if is_long else self.chance.random() * LONGEST_AWAY_SECONDS
