"""Calls that things go wrong with, sent again as a client would, and what is then to complain of."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.app import create_app
from service.database import connect
from service.replica import Replica
from service.tokens import Tokens
from tests.reliability.auditor import audit
from tests.reliability.caller import Answer, Caller
from tests.reliability.crashes import ANSWER, COMMIT, Fault, NoAnswer, Script, play, play_answers
from tests.reliability.journal import Entry
from tests.reliability.scenarios import Scenario
from tests.reliability.summary import summary
from tests.service.conftest import EMPTY

TOKEN = "ttk_of-the-tests"
LEASE_SECONDS = 30.0

ALL = os.environ.get("CRASH_POINTS") == "all"
"""Every fault at every point (`make crash-points`); else every fault at commits, and one at each statement."""

Record = dict[str, list[str]]


def faults(at: int, point: str) -> list[Fault]:
    """Return what goes wrong at a point."""
    if point == ANSWER:
        return [Fault.KILL_AFTER]
    if ALL or point == COMMIT:
        return list(Fault)
    return [Fault.CUT_AFTER if at % 2 else Fault.KILL_AFTER]


@dataclass(frozen=True)
class Service:
    """A replica that can be replaced by one that has just started.

    Args:
        app: Its application.
        engine: Its connections.
        script: What goes wrong on them.
    """

    app: FastAPI
    engine: sa.Engine
    script: Script

    @property
    def http(self) -> TestClient:
        return TestClient(play_answers(self.script, self.app), headers={"Authorization": f"Bearer {TOKEN}"})

    @property
    def replica(self) -> Replica:
        replica: Replica = self.app.state.replica
        return replica

    def start_again(self) -> None:
        """Forget all that is only in memory."""
        self.app.state.replica = Replica(self.engine, LEASE_SECONDS, artifacts=self.replica.artifacts)


@contextmanager
def service(url: str) -> Iterator[Service]:
    """Make a replica; nothing goes wrong with it until its script says so."""
    engine, script = connect(url), Script()
    play(script, engine)
    yield Service(create_app(Replica(engine, LEASE_SECONDS), Tokens(TOKEN)), engine, script)
    engine.dispose()


@dataclass(frozen=True)
class Trying:
    """A call that things go wrong with, and that is sent again.

    Args:
        scenario: The call.
        fragile: Whom things go wrong with.
        well: Another replica.
        database: To empty it.
        journal: What the one who calls has sent and heard since it was emptied.
    """

    scenario: Scenario
    fragile: Service
    well: Service
    database: sa.Engine
    journal: list[Entry] = field(default_factory=list)

    def complaint(self) -> str | None:
        """Return what is wrong after some fault at some point, the first that is found; None: nothing ever is."""
        answer, points, expected = self._clean()
        assert answer[0] < 400, answer
        if breaches := self._breaches():
            return breaches
        if points[-1] != ANSWER:
            return f"after the answer: {points[points.index(ANSWER) + 1 :]}"
        for at, point in enumerate(points):
            for fault in faults(at, point):
                if found := self._differs(self._spoilt(fault, at), answer, expected) or self._breaches():
                    return f"{fault}, point {at}, {point}: {found}"
        return None

    def prepared(self) -> object:
        """Begin with an empty database and replicas that know nothing; make what the call needs."""
        with self.database.connect() as connection:
            connection.execute(EMPTY)
        self.journal.clear()
        for one in (self.fragile, self.well):
            one.script.begin(Fault.KILL_BEFORE, None)
            one.start_again()
        return self.scenario.prepare(self._caller(self.fragile))

    def _clean(self) -> tuple[Answer, list[str], Record]:
        need = self.prepared()
        self.fragile.script.begin(Fault.KILL_BEFORE, None)
        answer = self._act(self.fragile, need)
        return answer, list(self.fragile.script.points), summary(self.well.engine)

    def _spoilt(self, fault: Fault, at: int) -> tuple[Answer, Record]:
        need = self.prepared()
        self.fragile.script.begin(fault, at)
        with suppress(NoAnswer):
            answer = self._act(self.fragile, need)
            if "unavailable" not in str(answer):
                # Who has an answer does not send the call again.
                return answer, summary(self.well.engine)
        self.fragile.script.begin(fault, None)
        to = self.well if fault.is_kill else self.fragile
        return self._act(to, need), summary(self.well.engine)

    def _caller(self, service: Service) -> Caller:
        return Caller(service.http, self.journal)

    def _act(self, service: Service, need: object) -> Answer:
        return self.scenario.act(self._caller(service), need)

    def _breaches(self) -> str | None:
        return "; ".join(map(str, audit(self.well.engine, self.journal))) or None

    def _differs(self, found: tuple[Answer, Record], answer: Answer, expected: Record) -> str | None:
        again, after = found
        if again != answer and again[0] != self.scenario.gone:
            return f"answered {again}, not {answer}"
        kinds = [kind for kind in expected if after[kind] != expected[kind]]
        return f"{kinds[0]}: {after[kinds[0]]}, not {expected[kinds[0]]}" if kinds else None
