"""Somebody holds a study that 64 workers call on: all other studies run on."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import httpx2
import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tests.e2e.running import TOKEN, wait_for
from tests.reliability.services import services
from tests.service.specs import METRIC, spec
from trimtab.client import Client

WORKERS = 64
TRIALS = 25

HOLD_SECONDS = 2.0
"""So long a call waits for a row that somebody holds. A trial of another study takes six times as long if its calls
find no room, and a fiftieth if they do: a busy machine changes nothing about which it is."""

HOLD = sa.text("""
    SELECT FROM trimtab_studies JOIN studies USING (study_id) WHERE study_name = 'held' FOR UPDATE OF trimtab_studies
""")


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[str]:
    with services(tmp_path) as replicas:
        yield replicas.start_ready(database_url).url


@pytest.fixture
def administrator(database_url: str) -> Iterator[sa.Engine]:
    """Connections that may hold what they hold for any time, as the service's may not."""
    engine = sa.create_engine(database_url, poolclass=NullPool)
    yield engine
    engine.dispose()


@contextmanager
def crowded(server: str, engine: sa.Engine) -> Iterator[list[int]]:
    """Hold a study on which many workers call all the time; give what they hear."""
    heard: list[int] = []
    is_over = threading.Event()

    def call_on(number: int) -> None:
        with httpx2.Client(base_url=server, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as http:
            while not is_over.is_set():
                answer = http.post("/v1/leases", json={"worker": f"w{number}", "study": "held"}, timeout=30)
                heard.append(answer.status_code)
                # As it is asked to.
                is_over.wait(float(answer.headers.get("Retry-After", 0)))

    with engine.connect() as holder, ThreadPoolExecutor(WORKERS) as executor:
        holder.execute(HOLD)
        calling = [executor.submit(call_on, number) for number in range(WORKERS)]
        try:
            yield heard
        finally:
            is_over.set()
        for each in calling:
            each.result()


def test_while_many_workers_call_on_a_study_that_is_held_the_others_run_on(
    server: str, administrator: sa.Engine
) -> None:
    with Client(server, TOKEN, sleep=must_not_be_refused) as client:
        client.create_study(spec("held", budget={"trials": 1000}))
        client.create_study(spec("free", budget={"trials": TRIALS}))

        with crowded(server, administrator) as heard:
            wait_for(lambda: heard)
            seconds = [run_a_trial(client) for _ in range(TRIALS)]

    assert median(seconds) < HOLD_SECONDS
    assert set(heard) == {503}


def must_not_be_refused(seconds: float) -> None:
    raise AssertionError(f"a call on another study is to come again after {seconds:g} s")


def run_a_trial(client: Client) -> float:
    """Ask, report and tell; return how long it took."""
    begin = time.monotonic()
    (lease,) = client.ask("worker", study="free").leases
    client.report(lease, step=1, metrics={METRIC: 0.5})
    client.tell(lease, "complete", metrics={METRIC: 0.5})
    return time.monotonic() - begin
