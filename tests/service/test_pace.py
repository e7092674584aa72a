"""A token that asks too much is asked to wait; the others are served."""

from functools import partial

import httpx2
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal
from fastapi.testclient import TestClient

from service import app
from service.app import create_app
from service.pace import BURST_SECONDS, Pace
from service.replica import Replica
from service.tokens import Tokens
from tests.clocks import Clock
from tests.service.served import TOKEN


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    clock = Clock()
    pace = Pace(10, clock)
    burst = [pace.wait_for(1) for _ in range(int(10 * BURST_SECONDS))]
    too_many = pace.wait_for(1)

    clock.now += 0.1
    later = [pace.wait_for(1) for _ in range(2)]

    assert not any(burst)
    assert too_many == pytest.approx(0.1)
    assert later == [0.0, pytest.approx(0.1)]


def test_tokens_do_not_share_their_requests() -> None:
    pace = Pace(1, Clock())
    waits = [pace.wait_for(1) for _ in range(10)]

    assert waits[-1] > 0
    assert pace.wait_for(2) == 0.0


def test_without_a_limit_nobody_waits() -> None:
    pace = Pace(0, Clock())

    assert not any(pace.wait_for(1) for _ in range(10_000))


@pytest.fixture
def hurried(engine: sa.Engine, portal: BlockingPortal, monkeypatch: pytest.MonkeyPatch) -> httpx2.Client:
    """A service that takes one request a second, and where no time passes."""
    monkeypatch.setattr(app, "Pace", partial(Pace, clock=Clock()))
    http = TestClient(
        create_app(Replica(engine, 30.0), Tokens(TOKEN), requests_per_second=1),
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    http.portal = portal
    return http


def test_who_asks_too_much_is_told_when_to_come_back(hurried: httpx2.Client) -> None:
    answers = [hurried.get("/v1/studies") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert answers[-1].headers["Retry-After"] == "1"
    assert hurried.get("/healthz").status_code == 200
