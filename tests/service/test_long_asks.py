"""An ask with a wait is held until there is a trial, at no cost to others."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sqlalchemy.pool import QueuePool

from service.api import waiting
from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.long_polls import LONG, SOON, wait_until, waiters
from tests.service.served import Serve, Served
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import Leases
from trimtab.states import NoLease

Ask = Callable[..., Future[Leases]]


@pytest.fixture
def only_hints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody look by himself: what is noticed was announced."""
    monkeypatch.setattr(waiting, "POLL_SECONDS", LONG)


@pytest.fixture
def ask(served: Served) -> Iterator[Ask]:
    """Ask from a thread of its own, and return once the service holds the request."""
    with ThreadPoolExecutor(64) as executor:

        def ask(**wanted: object) -> Future[Leases]:
            before = waiters(served.replica)
            asked = executor.submit(served.client.ask, "worker", wait=LONG, **wanted)  # type: ignore[arg-type]
            wait_until(lambda: waiters(served.replica) > before)
            return asked

        yield ask
        served.replica.close()


def test_who_does_not_wait_is_answered_at_once(client: Client) -> None:
    asked = client.ask("worker", wait=0.0)

    assert asked.reason is NoLease.NOTHING_NOW


def test_who_waits_in_vain_is_told_so_after_the_wait(client: Client) -> None:
    begin = time.monotonic()

    asked = client.ask("worker", wait=0.3)

    assert asked.reason is NoLease.NOTHING_NOW
    assert time.monotonic() - begin >= 0.3


@pytest.mark.usefixtures("only_hints")
def test_a_study_that_is_created_is_given_at_once_to_who_waits(client: Client, ask: Ask) -> None:
    asked = ask()

    client.create_study(spec())

    assert [lease.trial for lease in asked.result(SOON).leases] == [0]


@pytest.mark.usefixtures("only_hints")
def test_a_trial_that_comes_back_is_given_at_once_to_who_waits(client: Client, ask: Ask) -> None:
    client.create_study(spec(budget={"trials": 1}))
    lease = client.ask("first", study="study").leases[0]
    asked = ask(study="study")

    client.tell(lease, "released")

    assert [lease.fence for lease in asked.result(SOON).leases] == [2]


@pytest.mark.usefixtures("only_hints")
def test_a_trial_that_is_lost_is_given_to_who_waits_by_the_sweep(client: Client, replica: Replica, ask: Ask) -> None:
    client.create_study(spec(budget={"trials": 1}))
    client.ask("first", study="study")
    asked = ask(study="study")
    record.let_leases_run_out(replica.engine)

    sweep(replica)

    assert [lease.fence for lease in asked.result(SOON).leases] == [2]


@pytest.mark.usefixtures("only_hints")
def test_who_waits_for_a_study_that_ends_is_told_so_at_once(client: Client, ask: Ask) -> None:
    client.create_study(spec(budget={"trials": 1}))
    lease = client.ask("first", study="study").leases[0]
    asked = ask(study="study")

    client.tell(lease, "complete", metrics={"error": 0.5})

    assert asked.result(SOON).reason is NoLease.STUDY_ENDED


def test_a_study_created_through_another_replica_is_found_by_looking(
    start_replica: Serve, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", 0.05)
    other = start_replica()
    asked = ask()

    other.client.create_study(spec())

    assert [lease.trial for lease in asked.result(SOON).leases] == [0]


@pytest.mark.usefixtures("unhurried", "only_hints")
def test_each_of_many_that_wait_gets_a_trial_of_its_own(client: Client, ask: Ask) -> None:
    asks = [ask() for _ in range(40)]

    client.create_study(spec(budget={"trials": 40}))

    assert sorted(asked.result(SOON).leases[0].trial for asked in asks) == list(range(40))


@pytest.mark.usefixtures("only_hints")
def test_more_may_wait_than_there_are_threads_and_connections(client: Client, served: Served, ask: Ask) -> None:
    asks = [ask() for _ in range(50)]
    pool = served.replica.engine.pool
    assert isinstance(pool, QueuePool)

    studies = list(client.studies())

    assert studies == []
    assert not any(asked.done() for asked in asks)
    wait_until(lambda: pool.checkedout() == 0)


@pytest.mark.usefixtures("only_hints")
def test_a_replica_that_goes_down_lets_nobody_wait(served: Served, ask: Ask) -> None:
    asked = ask()

    served.replica.close()

    assert asked.result(SOON).reason is NoLease.NOTHING_NOW
