"""The real application on a database of its own, called through the real client, all in this process."""

from collections.abc import Iterator
from contextlib import ExitStack

import anyio.from_thread
import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal

from service.replica import Replica
from tests.service.served import Serve, Served, serve
from trimtab.client import Client

# What is not named belongs to a study, and goes with it. In the role of a replica no trigger keeps the audit's rows.
EMPTY = sa.text("""
    DELETE FROM studies; DELETE FROM trimtab_workers; DELETE FROM trimtab_tombstones;
    DELETE FROM trimtab_keys; DELETE FROM trimtab_tokens;
    SET session_replication_role = replica; DELETE FROM trimtab_audit; RESET session_replication_role;
    UPDATE trimtab_liveness SET seen_at = clock_timestamp()
""")


@pytest.fixture(scope="session")
def emptied(postgres: sa.Engine, template: str) -> Iterator[sa.Engine]:
    """A database that tests use one after the other: to empty one takes a hundredth of the time to copy one."""
    with postgres.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE emptied TEMPLATE {template}"))
    engine = sa.create_engine(postgres.url.set(database="emptied"), isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(emptied: sa.Engine) -> str:
    """The URL of a migrated database without a row."""
    with emptied.connect() as connection:
        connection.execute(EMPTY)
    return emptied.url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop that all applications run on."""
    with anyio.from_thread.start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def start_replica(database_url: str, portal: BlockingPortal) -> Iterator[Serve]:
    """Start one more replica on the test's database."""
    with ExitStack() as closing:
        yield lambda: closing.enter_context(serve(database_url, portal))


@pytest.fixture
def served(start_replica: Serve) -> Served:
    return start_replica()


@pytest.fixture
def client(served: Served) -> Client:
    return served.client


@pytest.fixture
def http(served: Served) -> httpx2.Client:
    return served.http


@pytest.fixture
def replica(served: Served) -> Replica:
    return served.replica
