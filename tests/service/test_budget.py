"""However many ask at once, wherever, a study gives as many trials as its budget holds."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import sqlalchemy as sa

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.served import Serve
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import Invalid
from trimtab.protocol import Lease
from trimtab.states import NoLease, StudyState

THREADS = 12
SEEN = "UPDATE trimtab_liveness SET seen_at = clock_timestamp() + interval '1 min'"
EXPIRE = """
    UPDATE trimtab_leases SET expires_at = clock_timestamp() - interval '1 s'
    WHERE lease_id = :lease_id AND ended_at IS NULL
"""


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


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("budget", [1, 7])
def test_many_that_ask_at_once_get_exactly_the_budget(clients: list[Client], budget: int) -> None:
    clients[0].create_study(spec(budget={"trials": budget}))

    leases = ask_at_once(clients, 24)

    assert sorted(lease.trial for lease in leases) == list(range(budget))


@pytest.mark.usefixtures("unhurried")
def test_asks_for_many_share_what_is_left(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 20}))

    leases = ask_at_once(clients, 12, count=3)

    assert sorted(lease.trial for lease in leases) == list(range(20))


@pytest.mark.usefixtures("unhurried")
def test_a_trial_that_waits_is_given_to_one(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 1}))
    lost = clients[0].ask("worker", study="study").leases[0]
    clients[0].tell(lost, "released")

    leases = ask_at_once(clients, 24)

    assert [(lease.trial, lease.fence) for lease in leases] == [(0, 2)]


@pytest.mark.usefixtures("unhurried")
def test_those_who_ask_at_once_are_given_different_points(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 24}))

    leases = ask_at_once(clients, 24)

    assert len({lease.params["x"] for lease in leases}) == 24


@pytest.mark.usefixtures("unhurried")
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


@pytest.mark.usefixtures("unhurried")
def test_the_last_trial_is_given_once_and_again_to_who_lost_the_answer(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 1}))

    def ask(number: int) -> list[Lease]:
        """Ask twice, at one replica and then at the other, as if the first answer had not come."""
        one, other = clients[number % 2], clients[(number + 1) % 2]
        answers = [c.ask(f"worker-{number}", study="study", key=f"ask-{number}").leases for c in (one, other)]
        assert not answers[0] or answers[0] == answers[1]
        return answers[1]

    with ThreadPoolExecutor(THREADS) as executor:
        leases = [lease for leases in executor.map(ask, range(24)) for lease in leases]

    assert [(lease.trial, lease.fence) for lease in leases] == [(0, 1)]


@pytest.mark.usefixtures("unhurried")
def test_a_budget_is_kept_to_the_trial_whatever_becomes_of_leases_and_of_the_budget(
    clients: list[Client], engine: sa.Engine, start_replica: Serve
) -> None:
    replica = start_replica().replica
    clients[0].create_study(spec(budget={"trials": 6}, max_attempts=100, failed_in_a_row=1000))

    def work(number: int) -> None:
        wear_out(clients[number % 2], replica, random.Random(number))

    with ThreadPoolExecutor(THREADS) as executor:
        working = [executor.submit(work, number) for number in range(8)]
        for budget in (12, 18, 24):
            clients[1].change_study("study", budget=budget)
        for worker in working:
            worker.result()
        list(executor.map(work, range(8, 16)))

    study = clients[0].study("study")
    numbers = record.value(engine, "SELECT array_agg(number ORDER BY number) FROM trimtab_trials")
    assert (study.state, study.counts.complete) == (StudyState.COMPLETE, 24)
    assert numbers == list(range(24))


@pytest.mark.usefixtures("unhurried")
def test_a_budget_that_is_made_smaller_while_many_ask_is_never_passed(clients: list[Client]) -> None:
    clients[0].create_study(spec(budget={"trials": 40}))

    with ThreadPoolExecutor() as executor:
        asking = executor.submit(ask_at_once, clients, 24)
        budget = smallest(clients[1])
        leases = asking.result() + ask_at_once(clients, 24)

    assert sorted(lease.trial for lease in leases) == list(range(budget))


def smallest(client: Client) -> int:
    """Make the budget as small as it can be just now; return it."""
    for budget in range(1, 41):
        with suppress(Invalid):
            client.change_study("study", budget=budget)
            return budget
    raise AssertionError


def wear_out(client: Client, replica: Replica, chance: random.Random) -> None:
    """Ask until there is no more to do; complete half of what is given, give back or lose the rest."""
    deadline = time.monotonic() + 300
    while (asked := client.ask("worker", study="study", count=2)).reason is not NoLease.STUDY_ENDED:
        assert time.monotonic() < deadline
        for lease in asked.leases:
            live(client, replica, lease, chance)
        record.execute(replica.engine, SEEN)
        sweep(replica)


def live(client: Client, replica: Replica, lease: Lease, chance: random.Random) -> None:
    match chance.randrange(4):
        case 0:
            client.tell(lease, "released")
        case 1:
            record.execute(replica.engine, EXPIRE, lease_id=int(lease.id))
        case _:
            client.tell(lease, "complete", metrics={"error": chance.random()})
