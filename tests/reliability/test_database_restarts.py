"""PostgreSQL restarts, crashes and ends sessions under load: nothing is lost, and nobody has to help."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from service.database import connect
from service.migrate import migrate
from tests.e2e.running import TOKEN, serving, wait_for
from tests.reliability.auditor import audit
from tests.reliability.load import load
from tests.reliability.postgres import Postgres, postgres
from tests.service import record
from trimtab.client import Client

TRIALS = 60

FAULTS: dict[str, Callable[[Postgres], None]] = {
    "restart": Postgres.restart,
    "crash": Postgres.crash,
    "killed session": Postgres.kill_a_session,
    "terminated sessions": Postgres.terminate_sessions,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory(prefix="trimtab-data-") as folder:
        Path(folder).chmod(0o711)
        with postgres(Path(folder)) as server:
            migrate(server.url)
            yield server


@pytest.fixture
def client(server: Postgres) -> Iterator[Client]:
    with ExitStack() as closing:
        url = closing.enter_context(serving(server.url))
        yield closing.enter_context(Client(url, TOKEN))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_study_goes_on_through_a_fault_of_the_database(
    server: Postgres, client: Client, fault: Callable[[Postgres], None]
) -> None:
    name = f"study-{time.monotonic_ns()}"

    with load(client, name, trials=TRIALS) as running:
        for _ in range(2):
            before = running.told()
            wait_for(partial(running.has_told, before + TRIALS // 5))
            fault(server)
        running.finish()

    assert client.study(name).counts.complete == TRIALS
    engine = connect(server.url)
    lost = record.value(
        engine,
        "SELECT count(*) FROM trimtab_leases WHERE outcome = 'lost' AND lease_id = ANY(:known)",
        known=running.leased(),
    )
    assert lost == 0
    assert [breach for breach in audit(engine, running.journal) if breach.study == name] == []
    engine.dispose()
