"""Several objectives and constraints: what is best, and what is on the front."""

from typing import Any

import httpx2
import optuna
import pytest

from tests.service.runs import lease_of
from tests.service.specs import body, spec
from trimtab.client import Client
from trimtab.errors import Invalid, NoCompleteTrial, NoFeasibleTrial, SeveralObjectives
from trimtab.message import Metrics
from trimtab.objectives import UNKNOWN_EXCESS
from trimtab.protocol import Told
from trimtab.states import Outcome, TrialState

TWO = [{"metric": "error"}, {"metric": "accuracy", "direction": "maximize"}]
SMALL = [{"metric": "parameters", "at_most": 1000}]


def told(client: Client, metrics: Metrics) -> Told:
    return client.tell(lease_of(client), "complete", metrics=metrics)


def test_of_several_objectives_the_front_is_what_no_other_trial_beats(client: Client) -> None:
    client.create_study(spec(objectives=TWO))
    for error, accuracy in [(0.1, 0.5), (0.2, 0.9), (0.3, 0.8), (0.2, 0.9), (0.1, 0.4)]:
        told(client, {"error": error, "accuracy": accuracy})

    front = client.best_trials("study")

    assert [trial.number for trial in front] == [0, 1, 3]
    assert front[0].values == {"error": 0.1, "accuracy": 0.5}


def test_of_several_objectives_none_says_alone_which_trial_is_best(client: Client) -> None:
    client.create_study(spec(objectives=TWO))
    told(client, {"error": 0.1, "accuracy": 0.5})

    with pytest.raises(SeveralObjectives, match="2 objectives"):
        client.best_trial("study")


def test_with_one_objective_the_front_is_the_best_trial(client: Client) -> None:
    client.create_study(spec())
    before = client.best_trials("study")
    for error in (0.2, 0.1, 0.3):
        told(client, {"error": error})

    assert before == []
    assert client.best_trials("study") == [client.best_trial("study")]


def test_a_complete_trial_needs_every_objective_and_every_bound_metric(client: Client) -> None:
    client.create_study(spec(objectives=TWO, constraints=SMALL))
    lease = lease_of(client)

    with pytest.raises(Invalid) as refused:
        client.tell(lease, "complete", metrics={"error": 0.1})

    assert [error.field for error in refused.value.errors] == ["metrics.accuracy", "metrics.parameters"]
    assert client.trial("study", 0).state is TrialState.RUNNING


def test_a_trial_with_any_objective_that_is_not_finite_has_diverged(client: Client) -> None:
    client.create_study(spec(objectives=TWO))

    answer = told(client, {"error": 0.1, "accuracy": None})

    trial = client.trial("study", 0)
    assert (answer.outcome, answer.state) == (Outcome.DIVERGED, TrialState.FAIL)
    assert (trial.values, trial.reason) == ({}, "accuracy is not finite")


def test_the_best_trial_is_feasible(client: Client) -> None:
    client.create_study(spec(constraints=SMALL))
    for error, parameters in [(0.1, 2000.0), (0.3, 900.0), (0.2, 1000.0), (0.05, None)]:
        told(client, {"error": error, "parameters": parameters})

    best = client.best_trial("study")

    assert (best.number, best.values) == (2, {"error": 0.2})
    assert [trial.is_feasible for trial in client.trials("study")] == [False, True, True, False]


def test_where_no_complete_trial_is_feasible_there_is_no_best(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec(constraints=SMALL, budget={"trials": 2}))
    with pytest.raises(NoCompleteTrial):
        client.best_trial("study")
    told(client, {"error": 0.1, "parameters": 2000})

    with pytest.raises(NoFeasibleTrial, match="none of the 1 complete trials"):
        client.best_trial("study")

    assert int(http.get("/v1/studies/study/best-trial").headers["Retry-After"]) > 0
    told(client, {"error": 0.1, "parameters": 2000})
    assert "Retry-After" not in http.get("/v1/studies/study/best-trial").headers


def test_what_is_not_feasible_is_not_on_the_front(client: Client) -> None:
    client.create_study(spec(objectives=TWO, constraints=SMALL))
    told(client, {"error": 0.1, "accuracy": 0.9, "parameters": 2000})
    told(client, {"error": 0.2, "accuracy": 0.8, "parameters": 10})

    assert [trial.number for trial in client.best_trials("study")] == [1]


def test_optuna_reads_values_and_constraints_as_its_own(client: Client, database_url: str) -> None:
    client.create_study(spec(objectives=TWO, constraints=[{"metric": "parameters", "at_most": 1000, "at_least": 10}]))
    for error, parameters in [(0.1, 2000.0), (0.2, 1.0), (0.3, 500.0)]:
        told(client, {"error": error, "accuracy": 0.5, "parameters": parameters})

    study = optuna.load_study(study_name="study", storage=optuna.storages.RDBStorage(database_url))

    assert [direction.name for direction in study.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert [trial.values for trial in study.trials] == [[0.1, 0.5], [0.2, 0.5], [0.3, 0.5]]
    assert [trial.constraints for trial in study.trials] == [
        {"parameters": 1000.0},
        {"parameters": 9.0},
        {"parameters": -490.0},
    ]
    assert [trial.number for trial in study.best_trials] == [2]


@pytest.mark.parametrize(("figure", "excess"), [(-1.7e308, -UNKNOWN_EXCESS), (1.7e308, UNKNOWN_EXCESS)])
def test_optuna_reads_how_far_the_largest_figures_are_from_the_largest_bound(
    client: Client, database_url: str, figure: float, excess: float
) -> None:
    bound = {"at_most": 1.7e308} if figure < 0 else {"at_most": -1.7e308}
    client.create_study(spec(constraints=[{"metric": "parameters", **bound}]))
    told(client, {"error": 0.1, "parameters": figure})

    client.add_trial("study", {"x": 0.5}, metrics={"error": 0.2, "parameters": figure})

    study = optuna.load_study(study_name="study", storage=optuna.storages.RDBStorage(database_url))
    assert [trial.constraints for trial in study.trials] == [{"parameters": excess}] * 2
    assert [trial.number for trial in study.best_trials] == ([0] if figure < 0 else [])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"objectives": [{"metric": "error"}, {"metric": "error"}]}, "objectives.1.metric"),
        ({"objectives": [{"metric": f"m{number}"} for number in range(9)]}, "objectives"),
        ({"constraints": [{"metric": "parameters"}]}, "constraints.0"),
        ({"constraints": [{"metric": "m", "at_most": 1, "at_least": 2}]}, "constraints.0.at_least"),
        ({"constraints": [{"metric": "m", "at_most": 1}, {"metric": "m", "at_least": 0}]}, "constraints.1.metric"),
    ],
)
def test_what_makes_no_sense_is_refused(http: httpx2.Client, changes: dict[str, Any], field: str) -> None:
    answer = http.post("/v1/studies", json=body(**changes))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_constraint_on_a_metric_that_never_comes_is_refused(http: httpx2.Client) -> None:
    mlp = {"name": "study", "task": {"name": "mlp"}, "constraints": [{"metric": "weight", "at_most": 1}]}

    answer = http.post("/v1/studies", json=mlp)

    assert answer.json()["errors"][0]["field"] == "constraints.0.metric"
    assert "it reports" in answer.json()["errors"][0]["message"]
