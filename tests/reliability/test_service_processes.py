"""Replicas as processes: eight at once on an empty database, one after the other under load, one that goes down."""

import json
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa

from service import database
from service.__main__ import DRAIN_SECONDS
from service.database import connect
from service.slow_clients import STALL_SECONDS
from tests.e2e.running import TOKEN, wait_for
from tests.reliability.auditor import audit
from tests.reliability.load import load
from tests.reliability.relay import relay
from tests.reliability.services import Service, Services, services
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.states import NoLease

TRIALS = 150

LONG_POLL_SECONDS = 60.0
"""As long as a call may wait: who has an answer before was not let wait."""

UNHURRIED: dict[str, object] = {
    "service.database._OPTIONS": database._OPTIONS | {"lock_timeout": "60s", "statement_timeout": "60s"},
    "service.silence.ANSWER_SECONDS": 70.0,
}
"""A call waits for a row as long as it takes until the test goes on."""


@pytest.fixture
def replicas(tmp_path: Path) -> Iterator[Services]:
    with services(tmp_path) as replicas:
        yield replicas


def test_eight_that_start_at_once_on_an_empty_database_all_serve(replicas: Services, empty_database_url: str) -> None:
    started = [replicas.start(empty_database_url) for _ in range(8)]

    for each in started:
        wait_for(each.is_ready, seconds=120)

    with Client(started[0].url, TOKEN) as first:
        first.create_study(spec(budget={"trials": 8}))
    trials = [ask_and_tell(each) for each in started]
    assert sorted(trials) == list(range(8))


def ask_and_tell(service: Service) -> int:
    with Client(service.url, TOKEN) as client:
        (lease,) = client.ask("worker").leases
        client.tell(lease, "complete", metrics={METRIC: 0.5})
        return lease.trial


def test_a_rolling_restart_under_load_loses_nothing(replicas: Services, database_url: str) -> None:
    pair = [replicas.start_ready(database_url) for _ in range(2)]
    turns = cycle(range(2))

    def connect_to_one_that_listens() -> socket.socket:
        first = next(turns)
        try:
            return pair[first].connect()
        except ConnectionRefusedError:
            return pair[1 - first].connect()

    with relay(connect_to_one_that_listens) as balancer, Client(f"http://127.0.0.1:{balancer.port}", TOKEN) as client:
        with load(client, "study", trials=TRIALS) as running:
            for number in range(2):
                wait_for(partial(running.has_told, (number + 1) * TRIALS // 5))
                assert pair[number].end() in {0, -signal.SIGTERM}
                pair[number] = replicas.start_ready(database_url)
            running.finish()
        counts = client.study("study").counts

    engine = connect(database_url)
    assert (counts.complete, counts.fail) == (TRIALS, 0)
    assert audit(engine, running.journal) == []
    assert len(running.leased()) == TRIALS
    engine.dispose()


def test_one_that_goes_down_answers_what_is_under_way_and_lets_nobody_wait(
    replicas: Services, database_url: str, engine: sa.Engine
) -> None:
    service = replicas.start_ready(database_url, constants=UNHURRIED)
    with Client(service.url, TOKEN) as client, ThreadPoolExecutor() as executor, engine.connect() as holder:
        client.create_study(spec(budget={"trials": 1}))
        (lease,) = client.ask("worker").leases
        waiting = executor.submit(client.ask, "other", wait=LONG_POLL_SECONDS)
        wait_for(lambda: "other" in [worker.name for worker in client.workers()])
        holder.execute(sa.text("SELECT FROM trimtab_studies FOR UPDATE"))
        telling = executor.submit(client.tell, lease, "complete", metrics={METRIC: 0.5})
        wait_for(lambda: is_waiting(engine))
        begin = time.monotonic()

        service.process.send_signal(signal.SIGTERM)
        wait_for(lambda: not listens(service))
        holder.rollback()
        waited = waiting.result()
        told = telling.result()
        service.process.wait(timeout=60)

    assert waited.reason is NoLease.NOTHING_NOW
    assert told.state == "complete"
    assert time.monotonic() - begin < LONG_POLL_SECONDS


def listens(service: Service) -> bool:
    try:
        service.connect().close()
    except ConnectionRefusedError:
        return False
    return True


def is_waiting(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        waiting = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(connection.execute(sa.text(waiting)).scalar_one())


def test_one_that_goes_down_waits_ten_seconds_at_most(replicas: Services, database_url: str) -> None:
    service = replicas.start_ready(database_url)
    with service.connect() as slow:
        content = json.dumps({"worker": "w"})
        head = f"POST /v1/leases HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 1000\r\n"
        slow.sendall(f"{head}Content-Type: application/json\r\n\r\n{content[:5]}".encode())
        assert httpx2.get(f"{service.url}/healthz", trust_env=False).status_code == 200
        begin = time.monotonic()

        service.end()

    assert DRAIN_SECONDS == 10
    assert time.monotonic() - begin < STALL_SECONDS, "it has waited for the client"
