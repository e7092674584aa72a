"""The database may go away, be exhausted or be held by somebody: 503, and service again by itself."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient
from psycopg2.errors import LockNotAvailable
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.pool import QueuePool

from service import database, embedded
from service.database import POOL_SIZE
from service.embedded.cluster import Cluster
from service.migrate import migrate
from service.replica import Replica
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.runs import lease_of, report
from tests.service.served import Served, serve
from tests.service.specs import body, spec
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.states import TrialState

Request = Callable[[httpx2.Client, Lease], httpx2.Response]


@dataclass(frozen=True)
class Fragile:
    """A replica whose database can be stopped."""

    served: Served
    cluster: Cluster


@pytest.fixture
def fragile(data_dir: Path, portal: BlockingPortal) -> Iterator[Fragile]:
    with embedded.start(data_dir) as postgres:
        migrate(postgres.url)
        with serve(postgres.url, portal) as served:
            yield Fragile(served, postgres._cluster)


REQUESTS: dict[str, Request] = {
    "readyz": lambda http, _: http.get("/readyz"),
    "create": lambda http, _: http.post("/v1/studies", json=body("another")),
    "read": lambda http, _: http.get("/v1/studies/study"),
    "best trial": lambda http, _: http.get("/v1/studies/study/best-trial?wait=30"),
    "ask": lambda http, _: http.post("/v1/leases", json={"worker": "w", "wait": 30}),
    "report": lambda http, lease: on_lease(http.post, lease, "reports", {"step": 1, "metrics": {"error": 0.5}}),
    "heartbeat": lambda http, lease: on_lease(http.post, lease, "heartbeat", {}),
    "tell": lambda http, lease: on_lease(http.put, lease, "result", {"outcome": "pruned"}),
}


def on_lease(send: Callable[..., httpx2.Response], lease: Lease, verb: str, content: object) -> httpx2.Response:
    return send(f"/v1/leases/{lease.id}/{verb}", json=content, headers={"Trimtab-Fence": str(lease.fence)})


def test_while_the_database_is_away_every_call_is_asked_to_come_back(fragile: Fragile) -> None:
    fragile.served.client.create_study(spec())
    lease = lease_of(fragile.served.client)
    fragile.cluster.stop()

    answers = {name: send(fragile.served.http, lease) for name, send in REQUESTS.items()}

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(REQUESTS, 503)
    assert {answer.json()["code"] for answer in answers.values()} == {"unavailable"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers.values())
    assert fragile.served.http.get("/healthz").status_code == 200


def test_when_the_database_is_back_the_service_serves_and_sweeps_again_by_itself(fragile: Fragile) -> None:
    client = fragile.served.client
    client.create_study(spec())
    kept, lost = lease_of(client), lease_of(client)
    live_on = "UPDATE trimtab_leases SET expires_at = expires_at + interval '1 h' WHERE lease_id = :lease_id"
    record.execute(fragile.served.replica.engine, live_on, lease_id=int(kept.id))
    run_out = "UPDATE trimtab_leases SET expires_at = now() - interval '1 s' WHERE lease_id = :lease_id"

    with TestClient(fragile.served.app):
        fragile.cluster.stop()
        away = fragile.served.http.get("/readyz").status_code
        fragile.cluster.start()
        wait_until(lambda: fragile.served.http.get("/readyz").status_code == 200)
        record.execute(fragile.served.replica.engine, run_out, lease_id=int(lost.id))

        wait_until(lambda: client.trial("study", lost.trial).state is TrialState.WAITING)
        verdict = report(client, kept, 1, 0.5)

    assert away == 503
    assert verdict.recorded


def test_a_call_that_finds_no_free_connection_is_asked_to_come_back(http: httpx2.Client, replica: Replica) -> None:
    pool = replica.engine.pool
    assert isinstance(pool, QueuePool)
    pool._timeout = 0.1

    with ExitStack() as connections:
        for _ in range(POOL_SIZE):
            connections.enter_context(replica.engine.connect())
        exhausted = http.get("/v1/studies")
    free = http.get("/v1/studies")

    assert (exhausted.status_code, exhausted.json()["code"]) == (503, "unavailable")
    assert free.status_code == 200


@contextmanager
def held(engine: sa.Engine, table: str) -> Iterator[None]:
    """Hold the rows of a table, for as long as a slow machine takes."""
    with engine.connect() as connection:
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(sa.text(f"SELECT FROM {table} FOR UPDATE"))
        yield


@pytest.fixture
def held_lease(client: Client, engine: sa.Engine) -> Iterator[Lease]:
    """A lease whose row somebody holds."""
    client.create_study(spec())
    lease = lease_of(client)
    with held(engine, "trimtab_leases"):
        yield lease


@pytest.fixture
def given_up(replica: Replica) -> list[str]:
    """The statements that waited for a row until its time was up. Nobody lets go of one here."""
    found: list[str] = []

    def note(context: ExceptionContext) -> None:
        if isinstance(context.original_exception, LockNotAvailable):
            found.append(str(context.statement))

    sa.event.listen(replica.engine, "handle_error", note)
    return found


def test_a_lease_that_somebody_holds_is_given_up_after_two_seconds(
    http: httpx2.Client, replica: Replica, held_lease: Lease, given_up: list[str]
) -> None:
    answer = REQUESTS["report"](http, held_lease)

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert len(given_up) == 1
    assert record.value(replica.engine, "SHOW lock_timeout") == "2s"


def test_a_lease_that_somebody_holds_holds_up_no_other(client: Client, held_lease: Lease, given_up: list[str]) -> None:
    other = lease_of(client)
    report(client, other, 1, 0.5)
    client.tell(other, "complete", metrics={"error": 0.5})

    assert other.trial != held_lease.trial
    assert given_up == []


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a lock as long as he would."""
    monkeypatch.setitem(database._OPTIONS, "lock_timeout", "200ms")


@pytest.fixture
def held_study(hurried: None, client: Client, engine: sa.Engine) -> Iterator[Lease]:
    """A lease of a study whose row somebody holds."""
    client.create_study(spec())
    lease = lease_of(client)
    with held(engine, "trimtab_studies"):
        yield lease


def test_reports_go_on_while_somebody_holds_the_study(held_study: Lease, client: Client) -> None:
    verdict = report(client, held_study, 1, 0.5)

    assert verdict.recorded


def test_who_asks_for_any_trial_is_given_one_of_a_study_that_nobody_holds(held_study: Lease, client: Client) -> None:
    client.create_study(spec("free"))
    client.ask("other", study="free", count=5)

    asked = client.ask("worker")

    assert [lease.study for lease in asked.leases] == ["free"]
    assert held_study.study == "study"


def test_who_asks_for_a_trial_of_a_study_that_somebody_holds_is_asked_to_come_back(
    held_study: Lease, http: httpx2.Client
) -> None:
    answer = http.post("/v1/leases", json={"worker": "w", "study": held_study.study})

    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
