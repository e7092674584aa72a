"""However many ask at once, wherever, a study gives as many trials as its budget holds."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.served import Serve
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.states import StudyState

THREADS = 12


@pytest.fixture
def clients(start_replica: Serve) -> list[Client]:
    """Clients of two replicas."""
    return [start_replica().client for _ in range(2)]


def ask_at_once(clients: list[Client], asks: int, *, count: int = 1) -> list[Lease]:
    """Return what so many asks at the same time are given, through one replica or the other."""

    def ask(number: int) -> list[Lease]:
        return clients[number % len(clients)].ask(f"worker-{number}", study="study", count=count).leases

    with ThreadPoolExecutor(THREADS) as executor:
        return [lease for leases in executor.map(ask, range(asks)) for lease in leases]


@pytest.mark.parametrize("budget", [1, 7])
def test_many_that_ask_at_once_get_exactly_the_budget(clients: list[Client], budget: int) -> None:
    clients[0].create_study(spec(budget={"trials": budget}))

    leases = ask_at_once(clients, 24)

    assert sorted(lease.trial for lease in leases) == list(range(budget))


def test_asks_for_many_share_what_is_left(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 20}))

    leases = ask_at_once(clients, 12, count=3)

    assert sorted(lease.trial for lease in leases) == list(range(20))


def test_a_trial_that_waits_is_given_to_one(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 1}))
    lost = clients[0].ask("worker", study="study").leases[0]
    clients[0].tell(lost, "released")

    leases = ask_at_once(clients, 24)

    assert [(lease.trial, lease.fence) for lease in leases] == [(0, 2)]


def test_those_who_ask_at_once_are_given_different_points(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 24}))

    leases = ask_at_once(clients, 24)

    assert len({lease.params["x"] for lease in leases}) == 24


def test_whoever_finishes_last_completes_the_study_and_finishes_are_counted_once(
    clients: list[Client], engine: sa.Engine
) -> None:
    clients[0].create_study(spec(budget={"trials": 24}))
    leases = ask_at_once(clients, 24)

    with ThreadPoolExecutor(THREADS) as executor:
        told = executor.map(
            lambda lease: clients[lease.trial % 2].tell(lease, "complete", metrics={"error": float(lease.trial)}),
            leases,
        )
        states = Counter(answer.state for answer in told)

    study = clients[0].study("study")
    assert study.state is StudyState.COMPLETE
    assert study.counts.complete == states["complete"] == 24
    orders = record.value(engine, "SELECT array_agg(finish_order ORDER BY finish_order) FROM trimtab_trials")
    assert orders == list(range(1, 25))
    assert clients[1].best_trial("study").number == 0
