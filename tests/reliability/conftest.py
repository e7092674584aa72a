"""A record of every kind of trial, and what was told of it, which tests may then spoil."""

from collections.abc import Iterator
from dataclasses import dataclass

import anyio.from_thread
import pytest
import sqlalchemy as sa

from service.database import connect
from tests.conftest import fresh_database
from tests.reliability.journal import Entry
from tests.reliability.lives import live_every_life
from tests.service.served import serve


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
