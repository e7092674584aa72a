"""The bounds of a study that runs may change: new trials keep to them, old ones that fit go on teaching."""

from collections.abc import Sequence
from typing import Any

import httpx2
import optuna
import pytest

from service.replica import Replica
from service.storage import asks
from tests.service.runs import complete, lease_of
from tests.service.served import Serve
from tests.service.specs import number, spec
from trimtab.client import Client
from trimtab.states import StudyState

PATH = "/v1/studies/study"
SPACE = {
    "x": {"type": "float", "low": 0.0, "high": 1.0},
    "layers": {"type": "int", "low": 1, "high": 2},
    "units": {"type": "int", "low": 1, "high": 9, "per": "layers"},
    "kind": {"type": "categorical", "choices": ["a", "b"]},
}


def change(http: httpx2.Client, **bounds: dict[str, Any]) -> httpx2.Response:
    return http.patch(PATH, json={"space": bounds})


def drawn(client: Client, count: int = 20) -> Sequence[float]:
    return [number(lease.params["x"]) for lease in client.ask("worker", study="study", count=count).leases]


def test_new_trials_keep_to_the_new_bounds(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(budget={"trials": 100}))
    before = drawn(client)

    answer = change(http, x={"low": 0.4, "high": 0.5})

    assert answer.json()["spec"]["space"]["x"] == {**answer.json()["spec"]["space"]["x"], "low": 0.4, "high": 0.5}
    assert max(before) > 0.5
    assert all(0.4 <= x <= 0.5 for x in drawn(client))


def test_another_replica_draws_from_the_new_bounds_too(
    client: Client, start_replica: Serve, http: httpx2.Client
) -> None:
    client.create_study(spec(budget={"trials": 100}))
    other = start_replica().client
    drawn(other, 1)

    change(http, x={"high": 0.1})

    assert all(x <= 0.1 for x in drawn(other))


def test_what_is_left_out_of_a_change_stays(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(space=SPACE))

    space = change(http, x={"high": 2.0}).json()["spec"]["space"]

    assert (space["x"]["low"], space["x"]["high"]) == (0.0, 2.0)
    assert space["layers"]["high"] == 2
    assert client.study("study").spec.declared["x"].extremes() == (0.0, 2.0)


def test_trials_that_still_fit_go_on_teaching_the_sampler_as_if_they_were_drawn_so(
    client: Client, http: httpx2.Client
) -> None:
    tpe = {"name": "tpe", "startup_trials": 5}
    client.create_study(spec(sampler=tpe, budget={"trials": 100}))
    wide = spec("wide", sampler=tpe, space={"x": {"type": "float", "low": 0.0, "high": 1.5}})
    client.create_study(wide)
    for _ in range(20):
        lease = lease_of(client)
        metrics = {"error": abs(number(lease.params["x"]) - 0.2)}
        client.tell(lease, "complete", metrics=metrics)
        client.add_trial("wide", lease.params, metrics=metrics)

    change(http, x={"high": 1.5})

    assert lease_of(client).params == lease_of(client, "wide").params


def test_a_list_may_become_longer_and_old_trials_show_what_they_had(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(space=SPACE, budget={"trials": 100}))
    before = [lease.params for lease in client.ask("worker", study="study", count=9).leases]

    change(http, layers={"low": 4, "high": 5})

    after = [lease.params for lease in client.ask("worker", study="study", count=9).leases]
    assert {len(params["units"]) for params in after if isinstance(params["units"], tuple)} == {4, 5}
    assert [trial.params for trial in client.trials("study")] == before + after


def test_an_old_trial_outside_the_bounds_may_be_the_best(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(space={"keep": {"type": "float", "low": 0.1, "high": 0.9, "scale": "reverse_log"}}))
    lease = complete(client, [0.1])

    change(http, keep={"low": 0.95, "high": 0.99})

    assert client.best_trial("study").params == lease.params


def test_optuna_reads_each_trial_with_the_bounds_that_it_was_drawn_from(
    client: Client, http: httpx2.Client, database_url: str
) -> None:
    client.create_study(spec())
    lease_of(client)
    change(http, x={"high": 0.5})
    lease_of(client)

    study = optuna.load_study(study_name="study", storage=optuna.storages.RDBStorage(database_url))

    assert [trial.distributions["x"].high for trial in study.trials] == [1.0, 0.5]  # type: ignore[attr-defined]


def test_the_same_change_again_changes_nothing(client: Client, http: httpx2.Client, replica: Replica) -> None:
    client.create_study(spec())
    first = change(http, x={"high": 0.5})

    again = change(http, x={"high": 0.5})

    assert again.json() == first.json()


def test_a_study_of_changed_bounds_is_created_again_by_its_first_spec(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    change(http, x={"high": 0.5})

    assert client.create_study(spec()).spec.declared["x"].extremes() == (0.0, 0.5)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"y": {"low": 0.1}}, "space.y", "is not searched by this study: make a new study"),
        ({"kind": {"low": 1}}, "space.kind", "has choices and no bounds"),
        ({"x": {"low": 2.0}}, "space.x.low", "must not be above high: 2.0 > 1.0"),
        ({"layers": {"high": 2.5}}, "space.layers.high", "integer"),
        ({"layers": {"high": 65}}, "space.units.per", "at most 64"),
        ({"x": {"choices": [1]}}, "space.x.choices", "is unknown"),
        ({}, "space", "too few items"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(
    client: Client, http: httpx2.Client, changes: dict[str, Any], field: str, message: str
) -> None:
    client.create_study(spec(space=SPACE))

    answer = change(http, **changes)

    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], message in error["message"]) == (field, True), error


FINITE = {"x": {"type": "int", "low": 1, "high": 7, "step": 3}}


def try_all(client: Client) -> None:
    """Complete a trial at each of the three points of a finite space, and ask for one more."""
    client.create_study(spec(space=FINITE))
    for _ in range(3):
        complete(client, [0.5])
    assert client.ask("worker", study="study").leases == []
    assert client.study("study").state is StudyState.COMPLETE


@pytest.mark.parametrize("bounds", [{"high": 10}, {"low": -2}, {"low": 2}, {"low": 2, "high": 5}])
def test_a_study_whose_points_were_all_tried_goes_on_when_its_bounds_have_others(
    client: Client, http: httpx2.Client, bounds: dict[str, Any]
) -> None:
    try_all(client)

    changed = change(http, x=bounds).json()

    assert (changed["state"], changed["reason"], changed["closing"]) == ("running", None, None)
    assert number(lease_of(client).params["x"]) not in {1, 4, 7}


def test_a_study_whose_points_were_all_tried_remains_complete_in_bounds_that_have_no_others(
    client: Client, http: httpx2.Client
) -> None:
    try_all(client)

    changed = change(http, x={"low": 4}).json()

    assert (changed["state"], changed["reason"]) == ("complete", "every point of the space was tried")


def test_a_study_whose_last_trials_run_hands_out_more_when_its_bounds_have_others(
    client: Client, http: httpx2.Client
) -> None:
    client.create_study(spec(space=FINITE))
    drawn(client, 4)
    assert client.ask("worker", study="study").leases == []
    assert client.study("study").closing

    changed = change(http, x={"high": 10}).json()

    assert changed["closing"] is None
    assert drawn(client) == [10.0]


def test_points_that_an_ask_found_tried_are_no_reason_to_end_if_the_bounds_change_meanwhile(
    client: Client, http: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_study(spec(space=FINITE))
    for _ in range(3):
        complete(client, [0.5])
    exhaust = asks.exhaust

    def change_before(*arguments: Any, **named: Any) -> bool:
        change(http, x={"high": 10}).raise_for_status()
        return exhaust(*arguments, **named)

    monkeypatch.setattr(asks, "exhaust", change_before)

    client.ask("worker", study="study")

    assert client.study("study").state is StudyState.RUNNING
    assert lease_of(client).params["x"] == 10


def test_a_grid_is_counted_and_keeps_its_bounds(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(space={"n": {"type": "int", "low": 1, "high": 3}}, sampler={"name": "grid"}))

    answer = change(http, n={"high": 4})

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "space")
