"""A record of every kind of trial, and what was told of it, which tests may then spoil."""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import anyio.from_thread
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from service import recognition
from service.api import tokens as token_routes
from service.database import connect
from service.sampling import stock
from tests.conftest import fresh_database
from tests.reliability.journal import Entry
from tests.reliability.lives import live_every_life
from tests.reliability.scenarios import Scenario
from tests.reliability.state_machine import StateMachine
from tests.reliability.trying import Trying, service
from tests.service.conftest import EMPTY, unhurried
from tests.service.served import serve

__all__ = ["unhurried"]


@dataclass(frozen=True)
class Recorded:
    """A record.

    Args:
        engine: The database.
        journal: What clients were told.
    """

    engine: sa.Engine
    journal: tuple[Entry, ...]


@pytest.fixture(scope="session")
def lived(postgres: sa.Engine, template: str) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """The name of a database that tests copy, and what clients were told while it was filled."""
    with fresh_database(postgres, template) as url:
        with anyio.from_thread.start_blocking_portal() as portal, serve(url, portal) as served:
            journal = live_every_life(served)
        yield str(sa.make_url(url).database), tuple(journal)


@pytest.fixture
def recorded(postgres: sa.Engine, lived: tuple[str, tuple[Entry, ...]]) -> Iterator[Recorded]:
    database, journal = lived
    with fresh_database(postgres, database) as url:
        engine = connect(url)
        yield Recorded(engine, journal)
        engine.dispose()


@pytest.fixture
def trying(
    postgres: sa.Engine, template: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Scenario], Trying]]:
    """Try a call with a replica that things go wrong with, beside one that is well. Whatever is patched in the service
    has to be patched before it is used."""
    for module in (recognition, token_routes):
        # Nobody need wait until a revoked token is believed nowhere.
        monkeypatch.setattr(module, "BELIEVED_SECONDS", 0.0)
    # On a slow machine points would be chosen ahead, and what that thread says to the database is none of the call's.
    monkeypatch.setattr(stock, "WORTH_SECONDS", math.inf)
    with ExitStack() as closing:
        url = closing.enter_context(fresh_database(postgres, template))
        database = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")

        def made(scenario: Scenario) -> Trying:
            fragile, well = (closing.enter_context(service(url)) for _ in range(2))
            return Trying(scenario, fragile, well, database)

        yield made


@pytest.fixture
def machine(postgres: sa.Engine, template: str) -> Iterator[Callable[[], type[StateMachine]]]:
    """Make the state machine on two replicas of one database."""
    with ExitStack() as closing:

        def made() -> type[StateMachine]:
            url = closing.enter_context(fresh_database(postgres, template))
            portal = closing.enter_context(anyio.from_thread.start_blocking_portal())
            replicas = tuple(closing.enter_context(serve(url, portal)) for _ in range(2))
            database = sa.create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
            return type("Machine", (StateMachine,), {"replicas": replicas, "database": database, "empty": EMPTY})

        yield made
