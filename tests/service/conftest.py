"""The real application on a database of its own, called through the real client, all in this process."""

import math
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import anyio.from_thread
import httpx2
import pytest
import sqlalchemy as sa
import uvicorn
from anyio.from_thread import BlockingPortal

from service import crowd, database, silence
from service.artifacts import Artifacts
from service.replica import Replica
from service.sampling import stock, suggester
from service.slow_clients import Guarded
from tests.ports import held_port
from tests.service.long_polls import SOON, wait_until
from tests.service.served import Connect, Serve, Served, serve
from trimtab.client import Client

# What is not named belongs to a study, and goes with it. In the role of a replica no trigger keeps the audit's rows.
EMPTY = sa.text("""
    DELETE FROM studies; DELETE FROM trimtab_workers; DELETE FROM trimtab_tombstones;
    DELETE FROM trimtab_keys; DELETE FROM trimtab_tokens; DELETE FROM trimtab_datasets;
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


@pytest.fixture
def beyond_31_bits(emptied: sa.Engine) -> Iterator[None]:
    """Let ids go on beyond 31 bits, in this test alone: Optuna's own storage, which others use, cannot write them."""
    columns = {"studies": "study_id", "trials": "trial_id", "trial_params": "param_id"}
    sequences = [f"pg_get_serial_sequence('{table}', '{column}')" for table, column in columns.items()]
    with emptied.connect() as connection:
        before = [connection.scalar(sa.text(f"SELECT nextval({sequence})")) for sequence in sequences]
        for sequence in sequences:
            connection.execute(sa.text(f"SELECT setval({sequence}, 2147483647)"))
        yield
        for sequence, last in zip(sequences, before, strict=True):
            connection.execute(sa.text(f"SELECT setval({sequence}, {last})"))


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop that all applications run on."""
    with anyio.from_thread.start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder that replicas keep their files in."""
    return tmp_path / "store"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a sampler and PostgreSQL take their time, but where a test says how long: a busy machine stalls at times."""
    monkeypatch.setattr(suggester, "LIMIT_SECONDS", 60.0)
    monkeypatch.setitem(database._OPTIONS, "statement_timeout", "60s")
    monkeypatch.setattr(silence, "CONNECT_SECONDS", 60.0)
    monkeypatch.setattr(silence, "ANSWER_SECONDS", 70.0)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls that come at once wait for each other as long as it takes: on a busy machine some would be refused."""
    for name in ("lock_timeout", "idle_in_transaction_session_timeout"):
        monkeypatch.setitem(database._OPTIONS, name, "60s")
    monkeypatch.setattr(database, "_POOL_SECONDS", 60)
    monkeypatch.setattr(crowd, "PATIENCE_SECONDS", 60.0)


@pytest.fixture
def nothing_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no points be chosen ahead, as on a slow machine they would be: by a thread that asks the database as well."""
    monkeypatch.setattr(stock, "WORTH_SECONDS", math.inf)


@pytest.fixture
def start_replica(database_url: str, portal: BlockingPortal, store: Path) -> Iterator[Serve]:
    """Start one more replica on the test's database and store."""
    with ExitStack() as closing:
        yield lambda **parts: closing.enter_context(
            serve(database_url, portal, artifacts=Artifacts(store.as_uri()), **parts)
        )


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


@pytest.fixture
def server(served: Served) -> uvicorn.Server:
    return uvicorn.Server(uvicorn.Config(served.app, http=Guarded, log_config=None, lifespan="off"))


@pytest.fixture
def port() -> Iterator[int]:
    """A port that the system gives to nobody else meanwhile."""
    with held_port() as port:
        yield port


@pytest.fixture
def connect(server: uvicorn.Server) -> Iterator[Connect]:
    """Connect to an application that listens."""
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        wait_until(lambda: server.started)
        with ExitStack() as connections:
            yield lambda: connections.enter_context(socket.create_connection(listener.getsockname(), timeout=SOON))
        server.should_exit = True
        thread.join()
