"""PostgreSQL ends a session, chooses a victim, has no connection or no disk left: 503, nothing lost, and on again."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio.from_thread
import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal

from service import database
from service.database import POOL_SIZE
from service.migrate import migrate
from tests.e2e.running import wait_for
from tests.reliability import postgres
from tests.service import record
from tests.service.runs import lease_of
from tests.service.served import Served, serve
from tests.service.specs import METRIC, spec
from trimtab.protocol import Lease

Send = Callable[[httpx2.Client, Lease], httpx2.Response]


def on_lease(http: httpx2.Client, lease: Lease, method: str, verb: str, **content: object) -> httpx2.Response:
    headers = {"Trimtab-Fence": str(lease.fence)}
    return http.request(method, f"/v1/leases/{lease.id}/{verb}", json=content, headers=headers)


def report(http: httpx2.Client, lease: Lease, step: int = 1, **metrics: float) -> httpx2.Response:
    return on_lease(http, lease, "POST", "reports", step=step, metrics={METRIC: 0.5, **metrics})


def tell(http: httpx2.Client, lease: Lease) -> httpx2.Response:
    return on_lease(http, lease, "PUT", "result", outcome="complete", metrics={METRIC: 0.5})


def ask(http: httpx2.Client, _: Lease) -> httpx2.Response:
    return http.post("/v1/leases", json={"worker": "other"})


CALLS: dict[str, Send] = {"report": report, "tell": tell, "ask": ask}


@pytest.fixture(scope="module")
def portal() -> Iterator[BlockingPortal]:
    with anyio.from_thread.start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def served(database_url: str, portal: BlockingPortal, unhurried: None) -> Iterator[Served]:
    with serve(database_url, portal) as served:
        yield served


@pytest.fixture
def lease(served: Served) -> Lease:
    served.client.create_study(spec(budget={"trials": 100}))
    return lease_of(served.client)


@contextmanager
def held(engine: sa.Engine, send: Callable[[], httpx2.Response]) -> Iterator[Future[httpx2.Response]]:
    """Hold the study and its lease, and give a call that waits for them."""
    with ThreadPoolExecutor() as executor, holding(engine):
        call = executor.submit(send)
        wait_for(lambda: waiting(engine))
        yield call


@contextmanager
def holding(engine: sa.Engine) -> Iterator[None]:
    """Hold the study and its lease."""
    with engine.connect() as holder:
        holder.execute(sa.text("SELECT FROM trimtab_studies, trimtab_leases FOR UPDATE"))
        yield


def waiting(engine: sa.Engine) -> object:
    return record.value(engine, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")


@pytest.mark.parametrize("send", CALLS.values(), ids=CALLS)
def test_a_session_that_is_ended_in_the_midst_of_a_call_leaves_nothing_of_it(
    served: Served, lease: Lease, engine: sa.Engine, send: Send
) -> None:
    before = record.rows(engine)

    with held(engine, lambda: send(served.http, lease)) as call:
        postgres.terminate_sessions(engine, that_wait=True)
        ended = call.result()
    left = record.rows(engine)
    again = send(served.http, lease)

    assert (ended.status_code, ended.headers["Retry-After"]) == (503, "1")
    assert left == before
    assert again.status_code == 200


@pytest.mark.parametrize("send", CALLS.values(), ids=CALLS)
def test_a_statement_that_takes_too_long_leaves_nothing_of_its_call(
    served: Served, lease: Lease, engine: sa.Engine, send: Send
) -> None:
    before = record.rows(engine)

    with holding(engine), each_statement_within(served.replica.engine, "300ms"):
        late = send(served.http, lease)
    left = record.rows(engine)
    with each_statement_within(served.replica.engine, "60s"):
        again = send(served.http, lease)

    assert (late.status_code, late.headers["Retry-After"]) == (503, "1")
    assert left == before
    assert again.status_code == 200


@contextmanager
def each_statement_within(engine: sa.Engine, limit: str) -> Iterator[None]:
    """Let statements take so long at most, also on connections that there are already."""

    def set_limit(connection: Any, *_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{limit}'")
        connection.commit()

    sa.event.listen(engine, "checkout", set_limit)
    try:
        yield
    finally:
        sa.event.remove(engine, "checkout", set_limit)


def test_the_victim_of_a_deadlock_is_asked_to_come_back(served: Served, lease: Lease, engine: sa.Engine) -> None:
    with ThreadPoolExecutor() as executor, engine.connect() as other:
        other.execute(sa.text("SET deadlock_timeout = '1min'; SET lock_timeout = '1min'"))
        other.execute(sa.text("SELECT FROM trimtab_leases FOR UPDATE"))
        call = executor.submit(tell, served.http, lease)
        wait_for(lambda: waiting(engine))
        other.execute(sa.text("SELECT FROM trimtab_studies FOR UPDATE"))
        victim = call.result()
    again = tell(served.http, lease)

    assert (victim.status_code, victim.headers["Retry-After"]) == (503, "1")
    assert again.status_code == 200


LIMITED = """
    CREATE ROLE limited LOGIN CONNECTION LIMIT 2;
    GRANT ALL ON ALL TABLES IN SCHEMA public TO limited; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO limited
"""


@pytest.fixture
def limited(database_url: str, engine: sa.Engine) -> Iterator[str]:
    """The URL of the database with a role that may have two connections."""
    record.execute(engine, LIMITED)
    yield sa.make_url(database_url).set(username="limited").render_as_string()
    record.execute(engine, "DROP OWNED BY limited; DROP ROLE limited")


def test_without_a_free_connection_of_the_server_calls_are_refused_at_once(
    limited: str, portal: BlockingPortal, engine: sa.Engine, unhurried: None
) -> None:
    with serve(limited, portal) as served, ThreadPoolExecutor(POOL_SIZE) as executor:
        served.client.create_study(spec(budget={"trials": 1000}))
        begin = time.monotonic()

        asked = [executor.submit(ask, served.http, lease) for lease in 4 * POOL_SIZE * [lease_of(served.client)]]
        answers = [each.result() for each in asked]
        taken = time.monotonic() - begin
        record.execute(engine, "ALTER ROLE limited CONNECTION LIMIT -1")
        after = ask(served.http, lease_of(served.client))

    assert {answer.status_code for answer in answers} == {200, 503}
    assert {answer.headers["Retry-After"] for answer in answers if answer.status_code == 503} == {"1"}
    assert taken < database._POOL_SECONDS, "nobody has waited for a connection"
    assert after.status_code == 200


@pytest.fixture
def small_disk(data_dir: Path) -> Iterator[Path]:
    """A folder on a file system of 4 MiB, for a tablespace."""
    folder = data_dir / "disk"
    folder.mkdir()
    if not postgres.mount(folder, megabytes=4):
        assert os.geteuid() != 0, "root cannot mount a file system here; a container has to be allowed to"
        pytest.skip("a file system cannot be mounted here: it takes root")
    yield folder
    postgres.unmount(folder)


def test_a_full_disk_refuses_what_it_cannot_hold_and_loses_nothing(
    small_disk: Path, data_dir: Path, portal: BlockingPortal
) -> None:
    with postgres.postgres(data_dir) as server, server.administrator() as engine:
        server.cluster.programs.own(small_disk)
        migrate(server.url)
        move_to(engine, small_disk, "trimtab_reports")
        with serve(server.url, portal) as served:
            served.client.create_study(spec())
            lease = lease_of(served.client)
            report(served.http, lease)
            fill(engine)

            steps = iter(range(2, 1000))
            full = next(answer for step in steps if (answer := report(served.http, lease, step)).status_code != 200)
            other = ask(served.http, lease)
            record.execute(engine, "DROP TABLE filler")
            again = report(served.http, lease, next(steps) - 1)
            stored = record.value(engine, "SELECT count(*) = max(step) FROM trimtab_reports")

    assert (full.status_code, full.headers["Retry-After"]) == (503, "1")
    assert (other.status_code, again.status_code) == (200, 200)
    assert stored is True


def move_to(engine: sa.Engine, disk: Path, table: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text(f"CREATE TABLESPACE small LOCATION '{disk}'"))
        connection.execute(sa.text(f"ALTER TABLE {table} SET TABLESPACE small"))
        connection.execute(sa.text("CREATE TABLE filler (bytes char(6000)) TABLESPACE small"))
        connection.execute(sa.text("ALTER TABLE filler ALTER bytes SET STORAGE PLAIN"))


def fill(engine: sa.Engine) -> None:
    """Leave no page on the disk."""
    with suppress(sa.exc.OperationalError):
        while True:
            record.execute(engine, "INSERT INTO filler SELECT 'x' FROM generate_series(1, 10)")
    with suppress(sa.exc.OperationalError):
        while True:
            record.execute(engine, "INSERT INTO filler VALUES ('x')")
