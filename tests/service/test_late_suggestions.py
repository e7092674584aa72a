"""An ask chooses its points once, whatever others do meanwhile: what it chose is kept where nobody was given it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from service.sampling import Suggestion, suggest_many, suggester
from tests.service.runs import lease_of
from tests.service.served import Serve
from tests.service.specs import METRIC, number, spec
from trimtab.client import Client

FINITE = {"x": {"type": "int", "low": 1, "high": 8}}
TPE = {"name": "tpe", "startup_trials": 2}


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Suggestion]]:
    """What the sampler chose, call by call."""
    return interrupt(monkeypatch, lambda _: None)


def interrupt(
    monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Sequence[Suggestion]], object]
) -> list[Sequence[Suggestion]]:
    """Let something happen while the sampler is at it; return what it chose, call by call."""
    calls: list[Sequence[Suggestion]] = []

    def choosing(*arguments: Any, **named: Any) -> list[Suggestion]:
        found = suggest_many(*arguments, **named)
        calls.append(found)
        meanwhile(found)
        return found

    monkeypatch.setattr(suggester, "suggest_many", choosing)
    return calls


@pytest.mark.parametrize("space", [FINITE, {"x": {"type": "float", "low": 0.0, "high": 8.0}}])
def test_a_point_is_kept_though_its_number_was_taken(
    client: Client, monkeypatch: pytest.MonkeyPatch, space: dict[str, Any]
) -> None:
    client.create_study(spec(space=space, sampler=TPE))

    def give_another(found: Sequence[Suggestion]) -> None:
        client.add_trial("study", {"x": 1 if found[0].point["x"] >= 2 else 8}, metrics={METRIC: 0.5})

    calls = interrupt(monkeypatch, give_another)

    lease = lease_of(client)

    assert [found.point["x"] for (found,) in calls] == [lease.params["x"]]
    assert (lease.trial, client.trial("study", 1).fallback) == (1, None)


@pytest.mark.parametrize("space", [FINITE, {"x": {"type": "float", "low": 0.0, "high": 8.0}}])
def test_a_point_that_a_trial_was_given_meanwhile_gives_way_to_a_random_one(
    client: Client, monkeypatch: pytest.MonkeyPatch, space: dict[str, Any]
) -> None:
    client.create_study(spec(space=space, sampler=TPE))

    def give_it(found: Sequence[Suggestion]) -> None:
        value = found[0].point["x"]
        client.add_trial("study", {"x": round(value) if space is FINITE else value}, metrics={METRIC: 0.5})

    calls = interrupt(monkeypatch, give_it)

    lease = lease_of(client)

    ((found,),) = calls
    assert number(lease.params["x"]) != found.point["x"]
    assert client.trial("study", 1).fallback == "another trial was given its point meanwhile"


def test_who_comes_too_late_for_the_last_point_is_given_none_and_the_study_is_complete(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_study(spec(space={"x": {"type": "int", "low": 1, "high": 1}}, sampler=TPE))
    interrupt(monkeypatch, lambda _: client.add_trial("study", {"x": 1}, metrics={METRIC: 0.5}))

    leases = client.ask("worker", study="study").leases

    assert leases == []
    assert client.study("study").reason == "every point of the space was tried"


@pytest.mark.usefixtures("unhurried")
def test_many_asks_at_once_each_get_a_point_of_a_finite_space_and_choose_once(
    start_replica: Serve, chosen: list[Sequence[Suggestion]]
) -> None:
    clients = [start_replica().client, start_replica().client]
    clients[0].create_study(
        spec(space={"x": {"type": "int", "low": 1, "high": 40}}, sampler=TPE, budget={"trials": 40})
    )
    barrier = Barrier(16)

    def ask(worker: int) -> float:
        barrier.wait()
        return number(lease_of(clients[worker % 2]).params["x"])

    with ThreadPoolExecutor(16) as workers:
        given = list(workers.map(ask, range(16)))

    assert len(set(given)) == 16
    assert len(chosen) <= 16
