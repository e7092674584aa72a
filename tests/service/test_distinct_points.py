"""Workers that ask at the same time are given different points, also through different replicas."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa

from service import asks, studies
from service.database import connect
from service.replica import Replica
from trimtab.budget import Budget
from trimtab.protocol import Ask, Lease
from trimtab.samplers import RandomSampler, TpeSampler
from trimtab.space import Float, Space
from trimtab.spec import StudySpec

WORKERS = 8
SPACE = Space({"x": Float(low=0, high=1), "y": Float(low=0, high=1)})


def ask_at_once(replicas: list[Replica], study: str) -> list[Lease]:
    """One ask by each of the workers, all at once, dealt out over the replicas."""
    barrier = Barrier(WORKERS)

    def ask(worker: int) -> list[Lease]:
        barrier.wait()
        return asks.ask(replicas[worker % len(replicas)], Ask(worker=f"w{worker}", study=study)).leases

    with ThreadPoolExecutor(WORKERS) as threads:
        return [lease for leases in threads.map(ask, range(WORKERS)) for lease in leases]


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("sampler", [RandomSampler(name="random"), TpeSampler()])
@pytest.mark.parametrize("replicas", [1, 2])
def test_workers_that_ask_at_once_are_given_different_points(
    engine: sa.Engine, database_url: str, replicas: int, sampler: RandomSampler | TpeSampler
) -> None:
    engines = [engine, *(connect(database_url) for _ in range(replicas - 1))]
    served = [Replica(each, 30.0) for each in engines]
    studies.create(
        served[0], StudySpec(name="at-once", task=None, space=SPACE, sampler=sampler, budget=Budget(trials=4 * WORKERS))
    )

    leases = [lease for _ in range(4) for lease in ask_at_once(served, "at-once")]

    assert sorted(lease.trial for lease in leases) == list(range(4 * WORKERS))
    assert len({tuple(lease.params.items()) for lease in leases}) == 4 * WORKERS
    for each in engines[1:]:
        each.dispose()


def test_asks_one_after_another_get_the_points_of_their_numbers_through_any_replica(
    engine: sa.Engine, database_url: str
) -> None:
    other = connect(database_url)
    first, second = Replica(engine, 30.0), Replica(other, 30.0)
    for name in ("one", "two"):
        studies.create(first, StudySpec(name=name, task=None, space=SPACE, sampler=TpeSampler(seed=5)))

    by_one = [asks.ask(first, Ask(worker="w", study="one")).leases[0].params for _ in range(6)]
    by_turns = [asks.ask((first, second)[n % 2], Ask(worker="w", study="two")).leases[0].params for n in range(6)]

    assert by_one == by_turns
    other.dispose()
