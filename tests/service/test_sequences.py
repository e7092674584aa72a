"""A grid gives each of its points exactly once, whatever happens; so does a sequence with its places."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from service.replica import Replica
from service.sweep import sweep
from tests.service.record import let_leases_run_out, value
from tests.service.runs import lease_of
from tests.service.served import Serve
from tests.service.specs import METRIC, body, spec
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.states import NoLease, StudyState

CLASSIC = {
    "learning_rate": {"type": "categorical", "choices": [0.001, 0.01, 0.1]},
    "layers": {"type": "int", "low": 1, "high": 5, "step": 2},
    "batch_size": {"type": "categorical", "choices": [32, 64, 128]},
}
POINTS = set(itertools.product([0.001, 0.01, 0.1], [1, 3, 5], [32, 64, 128]))
ALL = {"trials": 27}
GRID = {"name": "grid", "seed": 3}

# The point of a sequence is chosen with the study's row locked, and the first one imports scipy.stats.
pytestmark = pytest.mark.usefixtures("unhurried")


def point(lease: Lease) -> tuple[object, ...]:
    return tuple(lease.params.values())


def work(client: Client, worker: str, study: str = "study") -> list[tuple[object, ...]]:
    """Complete trials until there are none; return their points."""
    done = []
    while leases := client.ask(worker, study=study).leases:
        client.tell(leases[0], "complete", metrics={METRIC: 0.5})
        done.append(point(leases[0]))
    return done


def test_a_grid_gives_each_of_27_points_once_and_is_complete(client: Client, http: httpx2.Client) -> None:
    http.post("/v1/studies", json=body(space=CLASSIC, sampler=GRID, budget={})).raise_for_status()

    done = work(client, "worker")

    study = client.study("study")
    assert (study.state, study.spec.budget.trials) == (StudyState.COMPLETE, 27)
    assert len(done) == 27
    assert set(done) == POINTS


def test_the_client_leaves_the_budget_of_a_grid_to_the_grid(client: Client) -> None:
    study = client.create_study(spec(space=CLASSIC, sampler=GRID, budget={}))

    assert study.spec.budget.trials == 27


def test_eight_workers_at_two_replicas_are_given_each_point_once(start_replica: Serve) -> None:
    clients = [start_replica().client, start_replica().client]
    clients[0].create_study(spec(space=CLASSIC, sampler=GRID, budget=ALL))

    with ThreadPoolExecutor(8) as workers:
        done = workers.map(lambda n: work(clients[n % 2], f"worker-{n}"), range(8))

    assert sorted(itertools.chain(*done)) == sorted(POINTS)
    assert clients[0].study("study").state is StudyState.COMPLETE


def test_a_point_whose_worker_is_lost_is_tried_again_and_no_other_twice(
    client: Client, replica: Replica, engine: sa.Engine
) -> None:
    client.create_study(spec(space=CLASSIC, sampler=GRID, budget=ALL))
    lost = [point(lease_of(client)) for _ in range(5)]
    let_leases_run_out(engine)
    sweep(replica)

    done = work(client, "worker")

    assert set(lost) <= set(done)
    assert sorted(done) == sorted(POINTS)


def test_points_that_are_asked_for_together_are_those_asked_for_one_by_one(client: Client) -> None:
    for name in ("alone", "together"):
        client.create_study(spec(name, space=CLASSIC, sampler=GRID, budget=ALL))

    alone = [point(lease_of(client, "alone")) for _ in range(27)]
    together = [point(lease) for lease in client.ask("worker", study="together", count=30).leases]

    assert together == alone


def test_another_seed_is_another_order(client: Client) -> None:
    for seed in (1, 2):
        client.create_study(spec(f"seed-{seed}", space=CLASSIC, sampler=GRID | {"seed": seed}, budget=ALL))

    one, two = ([point(lease_of(client, f"seed-{seed}")) for _ in range(27)] for seed in (1, 2))

    assert one != two
    assert set(one) == set(two) == POINTS


@pytest.mark.parametrize("told_first", [True, False])
def test_a_grid_with_a_larger_budget_is_complete_when_its_points_are_used(client: Client, told_first: bool) -> None:
    client.create_study(spec(space={"x": CLASSIC["layers"]}, sampler=GRID, budget={"trials": 10}))
    leases = client.ask("worker", study="study", count=10).leases
    for lease in leases[1:] if not told_first else leases:
        client.tell(lease, "complete", metrics={METRIC: 0.5})

    empty = client.ask("worker", study="study")
    if not told_first:
        assert client.study("study").state is StudyState.RUNNING
        client.tell(leases[0], "complete", metrics={METRIC: 0.5})

    study = client.study("study")
    assert len(leases) == 3
    assert not empty.leases
    assert (study.state, study.reason) == (StudyState.COMPLETE, "every point of the space was tried")
    assert client.ask("worker", study="study").reason is NoLease.STUDY_ENDED


@pytest.mark.parametrize("is_trained", [True, False])
@pytest.mark.parametrize("sampler", [GRID, {"name": "qmc"}])
def test_a_point_that_was_given_to_the_study_is_passed_over(
    client: Client, sampler: dict[str, Any], is_trained: bool
) -> None:
    client.create_study(spec(space=CLASSIC, sampler=sampler, budget=ALL))
    early = [point(lease_of(client)) for _ in range(5)]
    left = sorted(POINTS - set(early))[:12]
    for values in left:
        params = dict(zip(CLASSIC, values, strict=True))
        if is_trained:
            client.add_trial("study", params, metrics={METRIC: 0.5})
        else:
            client.enqueue("study", params)

    done = work(client, "worker")

    tried = [*early, *done, *(left if is_trained else [])]
    assert sorted(tried) == sorted(POINTS)


@pytest.mark.parametrize("count", [1, 7])
def test_a_sequence_has_each_point_of_a_finite_space_once(client: Client, count: int) -> None:
    client.create_study(spec(space=CLASSIC, sampler={"name": "qmc"}, budget={"trials": 100}))

    done = []
    while leases := client.ask("worker", study="study", count=count).leases:
        done += [point(lease) for lease in leases]

    assert sorted(done) == sorted(POINTS)
    assert client.study("study").closing == "every point of the space was tried"


def test_a_conditional_grid_has_each_distinct_point_once(client: Client) -> None:
    space: dict[str, Any] = {
        "optimizer": {"type": "categorical", "choices": ["sgd", "adam"]},
        "momentum": {"type": "float", "low": 0.0, "high": 0.9, "step": 0.3, "when": {"optimizer": ["sgd"]}},
    }
    client.create_study(spec(space=space, sampler=GRID, budget={"trials": 5}))

    done = work(client, "worker")

    assert sorted(done) == [("adam",), ("sgd", 0.0), ("sgd", 0.3), ("sgd", 0.6), ("sgd", 0.9)]


def test_each_trial_of_a_sequence_has_a_place_of_its_own(start_replica: Serve, engine: sa.Engine) -> None:
    clients = [start_replica().client, start_replica().client]
    for name in ("alone", "at-once"):
        clients[0].create_study(spec(name, sampler={"name": "qmc"}, budget={"trials": 40}))

    alone = work(clients[0], "worker", "alone")
    with ThreadPoolExecutor(8) as workers:
        at_once = workers.map(lambda n: work(clients[n % 2], f"worker-{n}", "at-once"), range(8))

    assert sorted(itertools.chain(*at_once)) == sorted(alone)
    assert value(engine, "SELECT array_agg(sequence ORDER BY sequence) FROM trimtab_trials") == sorted([*range(40)] * 2)
