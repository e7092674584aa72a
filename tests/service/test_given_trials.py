"""Trials that somebody gives: points to be trained, handed out next, and trials that were trained elsewhere."""

from typing import Any

import httpx2
import optuna
import pytest
import sqlalchemy as sa

from service.storage.optuna_storage import OptunaStorage
from tests.service import record
from tests.service.runs import EAGER, complete, lease_of, report
from tests.service.served import Serve
from tests.service.specs import METRIC, number, spec
from trimtab.client import Client
from trimtab.errors import Conflict, StudyNotFound
from trimtab.states import Decision, Origin, Outcome, StudyState, TrialState

SPACE = {
    "rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
    "optimizer": {"type": "categorical", "choices": ["momentum", "adam"]},
    "momentum": {
        "type": "float",
        "low": 0.5,
        "high": 0.999,
        "scale": "reverse_log",
        "when": {"optimizer": ["momentum"]},
    },
    "units": {"type": "int", "low": 16, "high": 256, "step": 16},
    "decay": {"type": "float", "low": 0.0, "high": 1.0, "step": 0.1},
}
POINT = {"rate": 0.01, "optimizer": "momentum", "momentum": 0.9, "units": 64, "decay": 0.3}
HALF = {"x": 0.5}


def refused(http: httpx2.Client, content: Any) -> dict[str, str]:
    """What is said of each field of a trial that the study cannot have."""
    answer = http.post("/v1/studies/study/trials", json=content)
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


# -- a point that is to be trained ----------------------------------------------------------------------


def test_a_given_point_waits_and_is_handed_out_before_new_ones(client: Client) -> None:
    client.create_study(spec(space=SPACE))
    complete(client, [0.5])

    given = client.enqueue("study", POINT)
    leases = client.ask("worker", study="study").leases + client.ask("worker", study="study").leases

    assert (given.number, given.state, given.origin, given.params) == (1, TrialState.WAITING, Origin.ENQUEUED, POINT)
    assert (given.attempts, given.started_at) == (0, None)
    assert [(lease.trial, lease.fence, lease.attempt) for lease in leases] == [(1, 1, 1), (2, 1, 1)]
    assert leases[0].params == POINT


def test_the_answer_says_where_the_trial_is(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())

    answer = http.post("/v1/studies/study/trials", json={"params": HALF})

    assert (answer.status_code, answer.headers["Location"]) == (201, "/v1/studies/study/trials/0")
    assert http.get(answer.headers["Location"]).json()["params"] == HALF


def test_what_is_left_out_is_drawn_by_chance_the_same_in_every_replica(start_replica: Serve) -> None:
    clients = [start_replica().client for _ in range(2)]
    for name, client in zip(("one", "two"), clients, strict=True):
        client.create_study(spec(name, space=SPACE))

    drawn = [client.enqueue(name, {"rate": 0.01}).params for name, client in zip(("one", "two"), clients, strict=True)]
    next_one = clients[0].enqueue("one", {"rate": 0.01}).params

    assert drawn[0] == drawn[1] != next_one
    assert drawn[0]["rate"] == 0.01
    assert ("momentum" in drawn[0]) == (drawn[0]["optimizer"] == "momentum")
    assert {"optimizer", "units", "decay"} <= set(drawn[0])


def test_a_given_point_decides_what_else_there_is(client: Client) -> None:
    client.create_study(spec(space=SPACE))

    given = [client.enqueue("study", {"optimizer": optimizer}).params for optimizer in ("momentum", "adam")]

    assert ["momentum" in params for params in given] == [True, False]


def test_a_given_point_counts_for_the_budget(client: Client) -> None:
    client.create_study(spec(budget={"trials": 2}))
    lease_of(client)
    client.enqueue("study", HALF)

    with pytest.raises(Conflict, match="all 2 trials of the budget exist; a larger budget makes room"):
        client.enqueue("study", HALF)

    assert lease_of(client).params == HALF
    assert client.ask("worker", study="study").leases == []
    assert client.change_study("study", budget=3).added == 0
    assert client.enqueue("study", HALF).number == 2


@pytest.mark.parametrize("state", ["complete", "stopped"])
def test_nothing_waits_in_a_study_that_has_ended(client: Client, state: str) -> None:
    client.create_study(spec(budget={"trials": 1}))
    if state == "stopped":
        client.change_study("study", state="stopped")
    else:
        complete(client, [0.5])

    with pytest.raises(Conflict, match=f"the study is {state}"):
        client.enqueue("study", HALF)


def test_a_paused_study_takes_points_and_hands_them_out_later(client: Client) -> None:
    client.create_study(spec())
    client.change_study("study", state="paused")

    client.enqueue("study", HALF)

    assert client.ask("worker", study="study").leases == []
    client.change_study("study", state="running")
    assert lease_of(client).params == HALF


def test_a_given_point_that_is_stopped_before_anybody_had_it_is_pruned(client: Client, storage: OptunaStorage) -> None:
    client.create_study(spec(budget={"trials": 1}))
    client.enqueue("study", HALF)

    stopped = client.stop_trial("study", 0)

    assert (stopped.state, stopped.outcome, stopped.reason) == (TrialState.PRUNED, Outcome.PRUNED, "stopped by hand")
    assert client.study("study").state is StudyState.COMPLETE
    assert optuna.load_study(study_name="study", storage=storage).trials[0].duration is not None


def test_a_given_point_is_an_ordinary_trial_to_optuna(client: Client, storage: OptunaStorage) -> None:
    client.create_study(spec(space=SPACE))
    client.enqueue("study", POINT)

    trial = optuna.load_study(study_name="study", storage=storage).trials[0]

    assert trial.state is optuna.trial.TrialState.WAITING
    assert trial.params == {**{k: v for k, v in POINT.items() if k != "momentum"}, "1-momentum": pytest.approx(0.1)}


def test_the_same_key_gives_one_trial(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())

    answers = [
        http.post("/v1/studies/study/trials", json={"params": HALF}, headers={"Idempotency-Key": "k"}) for _ in "ab"
    ]

    assert answers[0].content == answers[1].content
    assert [answer.headers.get("Location") for answer in answers] == ["/v1/studies/study/trials/0"] * 2
    assert client.study("study").counts.waiting == 1


# -- a trial that was trained elsewhere -----------------------------------------------------------------


def test_an_added_trial_is_on_record_as_it_came(client: Client, storage: OptunaStorage) -> None:
    client.create_study(spec(space=SPACE))
    curve: dict[int, dict[str, float | None]] = {
        1: {METRIC: 0.5, "loss": 2.0},
        3: {METRIC: None},
        4: {METRIC: 0.25, "loss": 1.0},
    }

    added = client.add_trial("study", POINT, metrics={METRIC: 0.25, "loss": 1.0}, curve=curve)

    found = client.trial("study", 0)
    trial = optuna.load_study(study_name="study", storage=storage).trials[0]
    assert (added.state, added.origin, added.outcome) == (TrialState.COMPLETE, Origin.ADDED, Outcome.COMPLETE)
    assert (added.values, added.metrics, added.step) == ({METRIC: 0.25}, {METRIC: 0.25, "loss": 1.0}, 4)
    assert (found.attempts, found.history, found.params) == (0, [], POINT)
    assert [(one.attempt, one.step, one.metrics) for one in found.reports] == [(0, k, v) for k, v in curve.items()]
    assert (trial.value, trial.intermediate_values) == (
        0.25,
        {1: 0.5, 3: pytest.approx(float("nan"), nan_ok=True), 4: 0.25},
    )


def test_an_added_trial_is_not_counted_by_the_budget(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec(budget={"trials": 2}))
    complete(client, [0.5])

    client.add_trial("study", HALF, metrics={METRIC: 0.75})
    last = complete(client, [0.5])

    study = client.study("study")
    orders = record.value(engine, "SELECT array_agg(finish_order ORDER BY number) FROM trimtab_trials")
    assert (last.trial, study.state, study.added, study.counts.complete) == (2, StudyState.COMPLETE, 1, 3)
    assert orders == [1, 2, 3]


def test_a_study_goes_on_after_added_trials_with_the_point_of_its_number(start_replica: Serve) -> None:
    client, other = (start_replica().client for _ in range(2))
    client.create_study(spec("study", budget={"trials": 5}))
    for _ in range(3):
        client.add_trial("study", HALF, metrics={METRIC: 0.75})

    leases = [lease_of(one) for one in (client, other, client, other, client)]

    assert [lease.trial for lease in leases] == [3, 4, 5, 6, 7]
    assert len({lease.params["x"] for lease in leases}) == 5
    assert client.ask("worker", study="study").leases == []


def test_an_added_trial_may_be_the_best(client: Client) -> None:
    client.create_study(spec())
    complete(client, [0.5])

    client.add_trial("study", {"x": 0.25}, metrics={METRIC: 0.75})
    assert client.best_trial("study").number == 0
    client.add_trial("study", {"x": 0.25}, metrics={METRIC: 0.25})

    best = client.best_trial("study")
    assert (best.number, best.params, best.finished_trials) == (2, {"x": 0.25}, 3)


def test_an_added_trial_may_be_given_to_a_study_that_is_complete(client: Client) -> None:
    client.create_study(spec(budget={"trials": 1}))
    complete(client, [0.5])

    client.add_trial("study", HALF, metrics={METRIC: 0.25})

    assert client.best_trial("study").number == 1
    assert client.study("study").state is StudyState.COMPLETE


def test_an_added_trial_keeps_its_constraints_or_is_not_feasible(client: Client) -> None:
    client.create_study(spec(constraints=[{"metric": "parameters", "at_most": 100}]))

    small = client.add_trial("study", HALF, metrics={METRIC: 0.5, "parameters": 100})
    large = client.add_trial("study", HALF, metrics={METRIC: 0.25, "parameters": 101})

    assert (small.is_feasible, large.is_feasible) == (True, False)
    assert client.best_trial("study").number == 0


def test_added_trials_teach_the_sampler_in_every_replica(start_replica: Serve) -> None:
    client, other = (start_replica().client for _ in range(2))
    for name, optimum in {"low": 0.0, "high": 1.0}.items():
        client.create_study(spec(name, sampler={"name": "tpe", "startup_trials": 10}))
        lease_of(other, name)
        for x in range(30):
            client.add_trial(name, {"x": x / 30}, metrics={METRIC: abs(x / 30 - optimum)})

    low, high = ([number(lease_of(other, name).params["x"]) for _ in range(5)] for name in ("low", "high"))

    assert max(low) < min(high)


def test_an_added_curve_teaches_the_pruner_in_every_replica(start_replica: Serve) -> None:
    client, other = (start_replica().client for _ in range(2))
    client.create_study(spec(pruner=EAGER))
    lease = lease_of(other)
    assert report(other, lease, 1, 0.75).verdict is Decision.CONTINUE

    client.add_trial("study", HALF, metrics={METRIC: 0.25}, curve={1: {METRIC: 0.5}, 2: {METRIC: 0.25}})

    assert report(other, lease, 2, 0.75).verdict is Decision.STOP


@pytest.mark.parametrize(
    ("given", "state", "outcome", "values"),
    [
        ({"state": "pruned", "curve": {2: {METRIC: 0.5}}}, TrialState.PRUNED, Outcome.PRUNED, {METRIC: 0.5}),
        ({"state": "pruned"}, TrialState.PRUNED, Outcome.PRUNED, {}),
        ({"state": "fail", "metrics": {METRIC: 0.5}}, TrialState.FAIL, Outcome.ERROR, {}),
        ({"state": "fail", "metrics": {METRIC: None}}, TrialState.FAIL, Outcome.DIVERGED, {}),
    ],
)
def test_a_trial_that_ended_otherwise_can_be_added_too(
    client: Client, given: dict[str, Any], state: TrialState, outcome: Outcome, values: dict[str, float]
) -> None:
    client.create_study(spec())

    added = client.add_trial("study", HALF, **given)

    assert (added.state, added.outcome, added.values) == (state, outcome, values)
    assert client.study("study").added == 1


def test_added_failures_stop_no_study(client: Client) -> None:
    client.create_study(spec(failed_in_a_row=2))

    for _ in range(3):
        client.add_trial("study", HALF, "fail")

    assert client.study("study").state is StudyState.RUNNING


# -- what a study cannot have ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "field", "text"),
    [
        ({"x": 1}, "params.x", "is not searched by this study; it searches rate, optimizer, momentum, units, decay"),
        ({"rate": 1.0}, "params.rate", "cannot be 1.0; a number from 0.0001 to 0.1"),
        ({"rate": "fast"}, "params.rate", "cannot be 'fast'; a number from 0.0001 to 0.1"),
        ({"optimizer": "sgd"}, "params.optimizer", "cannot be 'sgd'; one of momentum, adam"),
        ({"units": 17}, "params.units", "cannot be 17; an integer from 16 to 256 in steps of 16 from 16"),
        ({"decay": 0.25}, "params.decay", "cannot be 0.25; a number from 0 to 1 in steps of 0.1 from 0"),
        (
            {"optimizer": "adam", "momentum": 0.9},
            "params.momentum",
            "exists only where optimizer is momentum, not 'adam'",
        ),
        ({"momentum": 0.9}, "params.momentum", "exists only where optimizer is momentum, and optimizer is left out"),
    ],
)
def test_a_point_that_the_space_does_not_have_is_refused(
    client: Client, http: httpx2.Client, params: dict[str, Any], field: str, text: str
) -> None:
    client.create_study(spec(space=SPACE))

    assert refused(http, {"params": params}) == {field: text}


def test_a_finished_trial_has_all_its_parameters(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(space=SPACE))
    given = {"params": {"rate": 0.01, "optimizer": "adam"}, "state": "complete", "metrics": {METRIC: 0.5}}

    assert refused(http, given) == {"params.units": "is missing", "params.decay": "is missing"}


@pytest.mark.parametrize(
    ("given", "field", "text"),
    [
        ({"metrics": {METRIC: 0.5}}, "metrics", "goes with a finished trial only: say its state"),
        ({"curve": [{"step": 1, "metrics": {METRIC: 0.5}}]}, "curve", "goes with a finished trial only: say its state"),
        ({"state": "complete"}, f"metrics.{METRIC}", "is missing: a complete trial has it"),
        (
            {"state": "complete", "metrics": {METRIC: None}},
            f"metrics.{METRIC}",
            "is not finite: a trial that diverged is a fail",
        ),
        (
            {"state": "pruned", "curve": [{"step": 1, "metrics": {"loss": 0.5}}]},
            f"curve.0.metrics.{METRIC}",
            "is missing: the study goes by it",
        ),
        (
            {"state": "pruned", "curve": [{"step": step, "metrics": {METRIC: 0.5}} for step in (1, 3, 3)]},
            "curve.2.step",
            "must be above the one before: 3 comes after 3",
        ),
    ],
)
def test_a_trial_with_half_of_its_record_is_refused(
    client: Client, http: httpx2.Client, given: dict[str, Any], field: str, text: str
) -> None:
    client.create_study(spec())

    assert refused(http, {"params": HALF, **given}) == {field: text}
    assert client.study("study").counts.finished == 0


def test_a_figure_that_is_no_number_is_refused(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    text = '{"params": {"x": 0.5}, "state": "complete", "metrics": {"error": NaN}}'

    answer = http.post("/v1/studies/study/trials", content=text, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "metrics.error"


def test_a_trial_of_no_study_is_refused(client: Client) -> None:
    with pytest.raises(StudyNotFound):
        client.enqueue("study", HALF)
    with pytest.raises(StudyNotFound):
        client.add_trial("study", HALF, metrics={METRIC: 0.5})


def test_a_trial_with_curves_of_ten_thousand_steps_is_taken(client: Client) -> None:
    client.create_study(spec())

    client.add_trial("study", HALF, metrics={METRIC: 0.5}, curve={step: {METRIC: 0.5} for step in range(1, 10_001)})

    assert len(client.trial("study", 0).reports) == 10_000
