"""Which replica is called makes no difference: not to a verdict, not to a trial."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.served import Serve
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.states import Decision, Outcome

SLOTS = 4
CALLS = 120

MEDIAN = {"name": "median", "startup_trials": 2, "warmup_steps": 1}


@pytest.fixture
def clients(start_replica: Serve) -> list[Client]:
    """Clients of two replicas."""
    return [start_replica().client for _ in range(2)]


@dataclass
class Slot:
    """A worker's place for one trial at a time."""

    lease: Lease | None = None
    step: int = 0


def history(clients: list[Client], study: str, rng: random.Random) -> Iterator[object]:
    """Train in several slots at once; each call goes to any client. Yield all that the service decides."""
    slots = [Slot() for _ in range(SLOTS)]
    for _ in range(CALLS):
        slot = rng.choice(slots)
        client = clients[rng.randrange(2) % len(clients)]
        # Drawn whether it is needed or not: every replica's history is given the same figures.
        action, error = rng.random(), rng.choice([None, *(n / 20 for n in range(20))])
        if slot.lease is None:
            slot.lease, slot.step = lease_of(client, study), 0
            yield slot.lease.trial, slot.lease.params
        elif action < 0.15:
            yield client.tell(slot.lease, "complete", metrics={METRIC: error}).state
            slot.lease = None
        else:
            slot.step += 1 + (action > 0.9)
            verdict = report(client, slot.lease, slot.step, error)
            yield slot.lease.trial, slot.step, verdict.verdict, verdict.reason, verdict.recorded
            if verdict.verdict is Decision.STOP and action > 0.3:
                yield client.tell(slot.lease, Outcome.PRUNED).state
                slot.lease = None


@pytest.mark.usefixtures("nothing_ahead")
@pytest.mark.parametrize("seed", range(5))
def test_a_history_through_two_replicas_is_decided_like_one_through_one(clients: list[Client], seed: int) -> None:
    for name in ("alone", "together"):
        clients[0].create_study(spec(name, pruner=MEDIAN, budget={"trials": CALLS}))

    alone = list(history(clients[:1], "alone", random.Random(seed)))
    together = list(history(clients, "together", random.Random(seed)))

    assert together == alone
    assert any(Decision.STOP in decided for decided in alone if isinstance(decided, tuple))


def test_a_report_through_a_replica_that_knows_nothing_yet_is_decided_on_all_that_there_is(
    clients: list[Client],
) -> None:
    clients[0].create_study(spec(pruner=EAGER))
    lease = lease_of(clients[0])
    complete(clients[0], [0.1])

    verdict = report(clients[1], lease, 1, 0.5)

    assert verdict.verdict is Decision.STOP


def test_a_report_through_a_replica_that_is_behind_is_decided_on_all_that_there_is(clients: list[Client]) -> None:
    clients[0].create_study(spec(pruner=EAGER))
    lease = lease_of(clients[0])
    report(clients[0], lease, 1, 0.5)
    complete(clients[1], [0.1, 0.1])

    verdict = report(clients[0], lease, 2, 0.5)

    assert verdict.verdict is Decision.STOP


def test_a_replica_learns_of_a_stop_that_another_gave(clients: list[Client]) -> None:
    clients[0].create_study(spec(pruner=EAGER))
    lease = lease_of(clients[0])
    report(clients[0], lease, 1, 0.5)
    complete(clients[1], [0.1, 0.1])
    report(clients[1], lease, 2, 0.5)

    verdict = report(clients[0], lease, 3, 0.0)

    assert (verdict.verdict, verdict.recorded) == (Decision.STOP, False)


def test_the_best_value_of_a_trial_is_that_of_all_its_reports(clients: list[Client]) -> None:
    clients[0].create_study(spec(pruner=EAGER))
    lease = lease_of(clients[0])
    report(clients[0], lease, 1, 0.9)
    report(clients[1], lease, 2, 0.1)
    complete(clients[1], [0.5, 0.5, 0.5])

    verdict = report(clients[0], lease, 3, 0.9)

    assert verdict.verdict is Decision.CONTINUE


@pytest.mark.usefixtures("unhurried")
def test_one_report_sent_many_times_at_once_has_one_effect_and_one_answer(clients: list[Client]) -> None:
    clients[0].create_study(spec())
    lease = lease_of(clients[0])

    with ThreadPoolExecutor(8) as executor:
        verdicts = list(executor.map(lambda n: report(clients[n % 2], lease, 1, 0.5), range(16)))

    assert {(verdict.verdict, verdict.recorded) for verdict in verdicts} == {(Decision.CONTINUE, True)}
    assert len(clients[0].trial("study", 0).reports) == 1


@pytest.mark.usefixtures("unhurried")
def test_one_tell_sent_many_times_at_once_has_one_effect_and_one_answer(clients: list[Client]) -> None:
    clients[0].create_study(spec())
    lease = lease_of(clients[0])

    with ThreadPoolExecutor(8) as executor:
        told = list(executor.map(lambda n: clients[n % 2].tell(lease, "complete", metrics={METRIC: 0.5}), range(16)))

    assert all(answer == told[0] for answer in told)
    assert clients[0].study("study").counts.complete == 1
