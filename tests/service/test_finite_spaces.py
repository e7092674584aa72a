"""Of a finite space no sampler is given a point twice, and a study whose points are all tried is complete."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.service.served import Serve
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import Conflict
from trimtab.states import NoLease, StudyState

SPACE: dict[str, Any] = {
    "layers": {"type": "int", "low": 1, "high": 4},
    "dropout": {"type": "float", "low": 0.0, "high": 0.6, "step": 0.2},
    "optimizer": {"type": "categorical", "choices": ["sgd", "adam"]},
    "nesterov": {"type": "categorical", "choices": [True, False], "when": {"optimizer": ["sgd"]}},
}
POINTS = 4 * 4 * 3
SAMPLERS = {
    "random": {"name": "random"},
    "tpe": {"name": "tpe"},
    "cmaes": {"name": "cmaes", "population_size": 4},
    "nsga2": {"name": "nsga2", "population_size": 4},
}
TRIED = "every point of the space was tried"


def work(client: Client, worker: str, *, count: int = 1) -> list[tuple[object, ...]]:
    """Run trials until there are none; return their points. Every fifth fails."""
    done: list[tuple[object, ...]] = []
    while leases := client.ask(worker, study="study", count=count).leases:
        for lease in leases:
            outcome = "error" if lease.trial % 5 == 4 else "complete"
            client.tell(lease, outcome, metrics={METRIC: lease.trial % 7} if outcome == "complete" else {})
            done.append(tuple(lease.params.values()))
    return done


@pytest.mark.parametrize("count", [1, 7])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_each_point_is_tried_once_and_then_the_study_is_complete(client: Client, sampler: str, count: int) -> None:
    client.create_study(spec(space=SPACE, sampler=SAMPLERS[sampler], budget={"trials": 1000}))

    done = work(client, "worker", count=count)

    study = client.study("study")
    assert (len(done), len(set(done))) == (POINTS, POINTS)
    assert (study.state, study.reason) == (StudyState.COMPLETE, TRIED)
    assert client.ask("worker", study="study").reason is NoLease.STUDY_ENDED


@pytest.mark.usefixtures("unhurried")
def test_eight_workers_at_two_replicas_try_each_point_once(start_replica: Serve) -> None:
    clients = [start_replica().client, start_replica().client]
    clients[0].create_study(spec(space=SPACE, sampler={"name": "tpe"}, budget={"trials": 1000}))

    with ThreadPoolExecutor(8) as workers:
        done = [*itertools.chain(*workers.map(lambda n: work(clients[n % 2], f"worker-{n}"), range(8)))]
    done += work(clients[0], "last")

    assert (len(done), len(set(done))) == (POINTS, POINTS)
    assert clients[0].study("study").state is StudyState.COMPLETE


def test_a_study_that_ends_by_its_points_lets_running_trials_come_to_their_end(client: Client) -> None:
    client.create_study(spec(space={"layers": SPACE["layers"]}, budget={"trials": 1000}))
    leases = client.ask("worker", study="study", count=256).leases

    empty = client.ask("worker", study="study")

    closing = client.study("study")
    for lease in leases:
        client.tell(lease, "complete", metrics={METRIC: 0.5})
    study = client.study("study")
    assert (len(leases), empty.leases) == (4, [])
    assert (closing.state, closing.closing) == (StudyState.RUNNING, TRIED)
    assert (study.state, study.reason) == (StudyState.COMPLETE, TRIED)


@pytest.mark.parametrize("is_running", [False, True])
def test_no_budget_reopens_a_study_whose_points_were_all_tried(client: Client, is_running: bool) -> None:
    client.create_study(spec(space={"layers": SPACE["layers"]}, budget={"trials": 1000}))
    leases = client.ask("worker", study="study", count=4).leases
    assert client.ask("worker", study="study").leases == []
    for lease in leases[is_running:]:
        client.tell(lease, "complete", metrics={METRIC: 0.5})

    changed = client.change_study("study", budget=2000)
    with pytest.raises(Conflict, match="no budget makes another point: widen the bounds, or create a new study"):
        client.enqueue("study", {"layers": 1})

    assert (changed.state, changed.spec.budget.trials) == (
        StudyState.RUNNING if is_running else StudyState.COMPLETE,
        2000,
    )
    assert changed.closing == TRIED
    assert client.ask("worker", study="study").leases == []


def test_a_study_whose_points_were_all_tried_says_what_would_set_it_running(client: Client) -> None:
    client.create_study(spec(space={"layers": SPACE["layers"]}, budget={"trials": 1000}))
    work(client, "worker")

    with pytest.raises(Conflict, match=f"{TRIED}; no budget makes another point"):
        client.change_study("study", state=StudyState.RUNNING)


@pytest.mark.parametrize("sampler", ["auto", "tpe", "random", "nsga2", "qmc", "grid"])
def test_as_many_conditions_as_there_may_be_may_follow_upon_one_another(client: Client, sampler: str) -> None:
    number = {"type": "int", "low": 0, "high": 1}
    chain = {f"p{n}": number | ({"when": {f"p{n - 1}": [1]}} if n else {}) for n in range(256)}
    client.create_study(spec(space=chain, sampler={"name": sampler}))

    (lease,) = client.ask("worker", study="study").leases

    assert list(lease.params.values()) == [1] * (len(lease.params) - 1) + [0]
