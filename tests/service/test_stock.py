"""Points that cost much are chosen ahead; one at a time, a study has the same trials all the same."""

from functools import partial

import pytest

from service.memory import StudyMemory
from service.replica import Replica
from service.sampling import Suggestion, stock
from service.sampling.stock import MOST, Prepared, Stock
from tests.service.long_polls import wait_until
from tests.service.runs import lease_of
from tests.service.specs import METRIC, number, spec
from trimtab.client import Client
from trimtab.message import Params
from trimtab.protocol import Lease

POINTS = [Suggestion({"x": n / 10}) for n in range(MOST)]


def stocked(*, salt: int | None, ended: int = 5) -> Stock:
    found = Stock()
    found.put(Prepared(POINTS if salt else POINTS[:1], 20, salt), ended=ended)
    return found


def test_a_point_of_a_number_is_used_for_that_number_only_and_while_nothing_has_ended_since() -> None:
    usable = {"number": 20, "ended": 5, "running": 0}

    assert stocked(salt=None).take(1, **usable) == Prepared(POINTS[:1], 20, None)
    assert stocked(salt=None).take(1, **usable | {"number": 21}) is None
    assert stocked(salt=None).take(1, **usable | {"ended": 6}) is None
    assert stocked(salt=None).take(2, **usable) is None


def test_points_for_workers_to_come_are_used_while_others_run_and_each_once() -> None:
    found = stocked(salt=7)

    one = found.take(1, number=25, ended=6, running=3)
    two = found.take(2, number=26, ended=7, running=3)

    assert one == Prepared(POINTS[:1], 20, 7)
    assert two == Prepared(POINTS[1:3], 21, 7)
    assert found.take(MOST, number=28, ended=7, running=3) is None
    assert found.take(1, number=28, ended=7, running=0) is None


def test_points_grow_stale() -> None:
    assert stocked(salt=7).take(1, number=99, ended=5 + 16, running=3)
    assert stocked(salt=7).take(1, number=99, ended=5 + 17, running=3) is None


def test_points_are_chosen_ahead_only_where_they_cost_more_than_a_tenth_of_a_trial() -> None:
    found = Stock()
    unknown = found.begin_filling()
    found.began(1)
    found.ended(1)
    found.chose(stock.WORTH_SECONDS / 2, count=1)
    cheap = found.begin_filling()
    found.chose(10.0, count=2)

    assert (unknown, cheap) == (False, False)
    assert found.begin_filling()
    assert not found.begin_filling(), "somebody does already"
    assert found.go_on_filling(), "somebody wanted some meanwhile"
    assert not found.go_on_filling()


@pytest.fixture
def is_worth_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Points are chosen ahead however little they cost, and waited for however long that takes."""
    monkeypatch.setattr(stock, "_WAIT_SECONDS", 60.0)
    monkeypatch.setattr(stock, "WORTH_SECONDS", 0.0)
    monkeypatch.setattr(stock, "_SHARE", 0.0)


def run_trial(client: Client, study: str) -> Params:
    lease = lease_of(client, study)
    client.tell(lease, "complete", metrics={METRIC: number(lease.params["x"])})
    return lease.params


def remembered(replica: Replica, lease: Lease) -> StudyMemory:
    known = replica.memory.known(int(lease.id))
    assert known
    return known[0]


def has_point_of_next_number(memory: StudyMemory) -> bool:
    prepared = memory.stock._prepared
    return prepared is not None and prepared.salt is None


def test_asked_one_at_a_time_a_study_has_the_same_trials(
    client: Client, replica: Replica, request: pytest.FixtureRequest
) -> None:
    sampler = {"name": "tpe", "startup_trials": 3}
    client.create_study(spec("now", sampler=sampler))
    client.create_study(spec("ahead", sampler=sampler))
    now = [run_trial(client, "now") for _ in range(8)]
    request.getfixturevalue("is_worth_while")

    ahead = []
    for _ in range(8):
        lease = lease_of(client, "ahead")
        memory = remembered(replica, lease)
        client.tell(lease, "complete", metrics={METRIC: number(lease.params["x"])})
        wait_until(partial(has_point_of_next_number, memory))
        ahead.append(lease.params)

    assert ahead == now


@pytest.mark.usefixtures("is_worth_while")
def test_who_asks_while_others_run_is_given_a_point_that_was_chosen_ahead(client: Client, replica: Replica) -> None:
    client.create_study(spec(sampler={"name": "tpe", "startup_trials": 3}, budget={"trials": 100}))
    for _ in range(5):
        run_trial(client, "study")
    memory = remembered(replica, [lease_of(client) for _ in range(2)][1])
    wait_until(lambda: memory.stock._prepared is not None and memory.stock._prepared.salt is not None)
    assert memory.stock._prepared
    expected = [each.point["x"] for each in memory.stock._prepared.suggestions]

    leases = [lease_of(client) for _ in range(4)]

    assert [lease.params["x"] for lease in leases] == expected[:4]
