"""Somebody holds a study that 64 workers call on: all other studies run on."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest
import sqlalchemy as sa

from tests.e2e.running import TOKEN, serving
from tests.service.specs import METRIC, spec
from trimtab.client import Client

WORKERS = 64
TRIALS = 50

HOLD = sa.text("""
    SELECT FROM trimtab_studies JOIN studies USING (study_id) WHERE study_name = 'held' FOR UPDATE OF trimtab_studies
""")


@pytest.fixture
def server(database_url: str) -> Iterator[str]:
    with serving(database_url) as url:
        yield url


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
        for number in range(WORKERS):
            executor.submit(call_on, number)
        yield heard
        is_over.set()


def test_while_many_workers_call_on_a_study_that_is_held_the_others_run_on(server: str, engine: sa.Engine) -> None:
    with Client(server, TOKEN) as client:
        client.create_study(spec("held", budget={"trials": 1000}))
        client.create_study(spec("free", budget={"trials": TRIALS}))

        with crowded(server, engine) as heard:
            seconds = [run_a_trial(client) for _ in range(TRIALS)]

    free = sorted(seconds)
    assert free[TRIALS // 2] < 0.5
    assert free[-1] < 2.0
    assert set(heard) == {503}


def run_a_trial(client: Client) -> float:
    """Ask, report and tell; return how long it took."""
    begin = time.monotonic()
    (lease,) = client.ask("worker", study="free").leases
    client.report(lease, step=1, metrics={METRIC: 0.5})
    client.tell(lease, "complete", metrics={METRIC: 0.5})
    return time.monotonic() - begin
