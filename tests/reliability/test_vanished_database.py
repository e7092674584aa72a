"""The database vanishes without a word: no connection ends, nothing is answered any more."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import psycopg2
import pytest

from service import silence
from tests.reliability.distant import Distant, distant
from tests.service.runs import lease_of, report
from tests.service.specs import METRIC, spec
from trimtab.protocol import Lease

NOTICED_SECONDS = 10.0


@pytest.fixture
def given_up(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each wait for PostgreSQL that was in vain."""
    found: list[float] = []

    def wait(waiting: Any) -> None:
        try:
            whole(waiting)
        except psycopg2.OperationalError:
            found.append((silence._milliseconds(waiting) or math.inf) / 1000)
            raise

    whole = silence._wait
    monkeypatch.setattr(silence, "_wait", wait)
    return found


@pytest.fixture
def far(database_url: str, given_up: list[float]) -> Iterator[Distant]:
    with distant(database_url) as far:
        yield far


def send_report(http: httpx2.Client, lease: Lease, step: int) -> httpx2.Response:
    content = {"step": step, "metrics": {METRIC: 0.5}}
    headers = {"Trimtab-Fence": str(lease.fence)}
    return http.post(f"/v1/leases/{lease.id}/reports", json=content, headers=headers)


def test_a_database_that_vanished_is_noticed_within_ten_seconds_and_served_from_again_when_it_is_back(
    far: Distant, given_up: list[float]
) -> None:
    far.served.client.create_study(spec())
    lease = lease_of(far.served.client)
    far.relay.vanish()

    with ThreadPoolExecutor() as executor:
        waiting = [executor.submit(send_report, far.served.http, lease, 1) for _ in range(3)]
        answers = [each.result() for each in waiting]
    far.relay.come_back()
    verdict = report(far.served.client, lease, 1, 0.5)

    assert [answer.status_code for answer in answers] == [503] * 3
    assert len(given_up) == 3, "each call has waited for one answer"
    assert max(given_up) < NOTICED_SECONDS
    assert verdict.recorded
