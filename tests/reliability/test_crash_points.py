"""Whatever goes wrong at a statement, a commit or the answer of a call that writes: sent again, it takes effect once."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.pool import NullPool

from service import recognition
from service.api import tokens as token_routes
from service.app import create_app
from service.database import connect
from service.liveness import renew
from service.replica import Replica
from service.sweep import sweep
from service.tokens import Tokens
from tests.conftest import fresh_database
from tests.reliability.auditor import audit
from tests.reliability.crashes import Fault, Killed, Script, play
from tests.reliability.scenarios import SCENARIOS, Answer, Caller, Scenario
from tests.reliability.summary import summary
from tests.service import record
from tests.service.conftest import EMPTY

TOKEN = "ttk_of-the-tests"
LEASE_SECONDS = 30.0

ALL = os.environ.get("CRASH_POINTS") == "all"
"""Every fault at every point (`make crash-points`); else every fault at commits, and one at each statement."""


def faults(at: int, point: str) -> list[Fault]:
    """Return what goes wrong at a point."""
    if ALL or point == "COMMIT":
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
    def caller(self) -> Caller:
        return Caller(TestClient(self.app, headers={"Authorization": f"Bearer {TOKEN}"}))

    @property
    def replica(self) -> Replica:
        replica: Replica = self.app.state.replica
        return replica

    def start_again(self) -> None:
        """Forget all that is only in memory."""
        store = self.replica.artifacts
        self.app.state.replica = Replica(self.engine, LEASE_SECONDS, artifacts=store)


@pytest.fixture(scope="module")
def database(postgres: sa.Engine, template: str) -> Iterator[sa.Engine]:
    with fresh_database(postgres, template) as url:
        engine = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        yield engine


@pytest.fixture(scope="module")
def services(database: sa.Engine) -> Iterator[tuple[Service, Service]]:
    """A replica that things go wrong with, and one that is well."""
    made = [_service(database.url.render_as_string(hide_password=False)) for _ in range(2)]
    yield made[0], made[1]
    for service in made:
        service.engine.dispose()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait until a revoked token is believed nowhere."""
    monkeypatch.setattr(token_routes, "BELIEVED_SECONDS", 0.0)
    monkeypatch.setattr(recognition, "BELIEVED_SECONDS", 0.0)


def _service(url: str) -> Service:
    engine, script = connect(url), Script()
    play(script, engine)
    return Service(create_app(Replica(engine, LEASE_SECONDS), Tokens(TOKEN)), engine, script)


@dataclass(frozen=True)
class Trying:
    """A call that things go wrong with, and that is sent again."""

    scenario: Scenario
    fragile: Service
    well: Service
    database: sa.Engine

    def clean(self) -> tuple[Answer, list[str], dict[str, list[str]]]:
        """Return the answer, the points and the record of a call with which nothing goes wrong."""
        need = self._prepared()
        self.fragile.script.begin(Fault.KILL_BEFORE, None)
        answer = self.scenario.act(self.fragile.caller, need)
        return answer, list(self.fragile.script.points), summary(self.well.engine)

    def spoilt(self, fault: Fault, at: int) -> tuple[Answer, dict[str, list[str]]]:
        """Return the answer and the record after the call met a fault and was sent again."""
        need = self._prepared()
        self.fragile.script.begin(fault, at)
        with suppress(Killed):
            answer = self.scenario.act(self.fragile.caller, need)
            assert answer[0] < 500 or answer[0] == 503, answer
        self.fragile.script.begin(fault, None)
        to = self.well if fault.is_kill else self.fragile
        return self.scenario.act(to.caller, need), summary(self.well.engine)

    def unheard(self) -> tuple[Answer, dict[str, list[str]]]:
        """Return the same where the call was answered and the answer was lost."""
        need = self._prepared()
        self.scenario.act(self.fragile.caller, need)
        return self.scenario.act(self.well.caller, need), summary(self.well.engine)

    def _prepared(self) -> object:
        with self.database.connect() as connection:
            connection.execute(EMPTY)
        for service in (self.fragile, self.well):
            service.start_again()
        return self.scenario.prepare(self.fragile.caller)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_whatever_goes_wrong_in_a_call_it_takes_effect_once(
    scenario: Scenario, services: tuple[Service, Service], database: sa.Engine
) -> None:
    trying = Trying(scenario, *services, database)
    answer, points, expected = trying.clean()
    assert answer[0] < 400, answer
    assert points

    found = {(fault, at): trying.spoilt(fault, at) for at, point in enumerate(points) for fault in faults(at, point)}

    right = [answer] if scenario.gone is None else [answer, scenario.gone]
    for (fault, at), (again, after) in found.items():
        where = f"{fault} {points[at]}"
        assert again in right or again[0] in right, f"{where}: {again}"
        assert after == expected, where
    assert audit(services[1].engine) == []


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_call_whose_answer_was_lost_takes_effect_once(
    scenario: Scenario, services: tuple[Service, Service], database: sa.Engine
) -> None:
    trying = Trying(scenario, *services, database)
    answer, _, expected = trying.clean()

    again, after = trying.unheard()

    assert again == answer or again[0] == scenario.gone
    assert after == expected


BACKGROUND: dict[str, Callable[[Service], object]] = {
    "sweep": lambda service: sweep(service.replica),
    "liveness": lambda service: renew(service.engine),
}


@pytest.mark.parametrize("work", BACKGROUND.values(), ids=BACKGROUND)
def test_whatever_goes_wrong_in_the_background_is_set_right_by_the_next_time(
    work: Callable[[Service], object], services: tuple[Service, Service], database: sa.Engine
) -> None:
    fragile, well = services
    trying = Trying(Scenario(SCENARIOS["report many"].prepare, lambda *_: (200, None)), fragile, well, database)

    def after(fault: Fault, at: int | None) -> dict[str, list[str]]:
        trying._prepared()
        record.let_leases_run_out(well.engine)
        fragile.script.begin(fault, at)
        with suppress(Killed, Exception):
            work(fragile)
        fragile.script.begin(fault, None)
        work(well)
        return summary(well.engine)

    expected = after(Fault.KILL_BEFORE, None)
    points = len(fragile.script.points)
    found = {(fault, at): after(fault, at) for fault in Fault for at in range(points or 1)}

    assert all(summary_ == expected for summary_ in found.values())
    assert audit(well.engine) == []
