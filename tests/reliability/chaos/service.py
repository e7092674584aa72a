"""The replicas together: some are killed and come back; when none serves, that is an outage."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Self

from tests.reliability.chaos.agenda import Agenda
from tests.reliability.chaos.log import ALL_REPLICAS, Log, Outage
from tests.reliability.chaos.replicas import Replica
from tests.reliability.journal import now

_LOOK_SECONDS = 0.1
_AGAIN_SECONDS = 0.5


class Service:
    """Replicas that are kept running.

    Args:
        replicas: All of them.
        agenda: For what is to be done later.
        log: Where kills and outages are noted, and deaths that nobody brought about.
    """

    def __init__(self, replicas: Sequence[Replica], agenda: Agenda, log: Log) -> None:
        self.replicas = replicas
        self._agenda = agenda
        self._log = log
        self._serving: set[Replica] = set()
        # Before they first serve nobody calls.
        self._away_since: float | None = None
        for replica in replicas:
            self._start(replica)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Stop them all; those that serve go down when they are asked to."""
        for replica in self.replicas:
            if replica not in self._serving:
                replica.kill()
            elif code := replica.stop():
                self._log.wrong.append(f"the replica on port {replica.port} went down with exit code {code}")

    @property
    def is_whole(self) -> bool:
        """Whether all of them serve."""
        return len(self._serving) == len(self.replicas)

    def kill(self, victims: Collection[Replica], *, away_seconds: float) -> None:
        """Kill those of them that serve, and start them again after a while."""
        for replica in self._serving.intersection(victims):
            replica.kill()
            self._serving.remove(replica)
            self._log.replicas_killed += 1
            self._agenda.add(away_seconds, partial(self._start, replica))
        if not self._serving and self._away_since is None:
            self._away_since = now()

    def watch(self) -> None:
        """Start those again that went by themselves, and note that they did."""
        for replica in [replica for replica in self._serving if not replica.is_running]:
            self._log.wrong.append(f"the replica on port {replica.port} died by itself")
            self._serving.remove(replica)
            self._start(replica)

    def _start(self, replica: Replica) -> None:
        replica.start()
        self._agenda.add(_LOOK_SECONDS, partial(self._look, replica))

    def _look(self, replica: Replica) -> None:
        """Look again until it serves. One that found no database has ended, and is started again."""
        if not replica.is_running:
            self._agenda.add(_AGAIN_SECONDS, partial(self._start, replica))
        elif not replica.is_serving():
            self._agenda.add(_LOOK_SECONDS, partial(self._look, replica))
        else:
            self._serving.add(replica)
            if self._away_since is not None:
                self._log.outages.append(Outage(ALL_REPLICAS, self._away_since, now()))
                self._away_since = None
