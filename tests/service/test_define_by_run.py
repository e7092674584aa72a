"""All that can be done with a study whose trials say what they search."""

from typing import Any

import httpx2
import optuna
import pytest
import sqlalchemy as sa

from service.replica import Replica
from service.storage.optuna_storage import OptunaStorage
from service.sweep import sweep
from tests.service.record import let_leases_run_out
from tests.service.runs import EAGER
from tests.service.served import Serve
from tests.service.specs import METRIC, number, spec
from trimtab.client import Client
from trimtab.errors import Invalid
from trimtab.protocol import Lease
from trimtab.space import Categorical, Float, Int, Parameter, Scale, Space
from trimtab.states import NoLease, Origin, StudyState, TrialState

RATE = Float(low=1e-4, high=0.1, scale=Scale.LOG)
LAYERS = Int(low=1, high=3)
OPTIMIZER = Categorical(choices=("sgd", "adam"))
MOMENTUM = Float(low=0.5, high=0.99, scale=Scale.REVERSE_LOG)
SPACE = Space({"optimizer": OPTIMIZER, "momentum": MOMENTUM, "rate": RATE})


def create(client: Client, **changes: Any) -> None:
    client.create_study(spec(**{"space": None, "sampler": {"name": "tpe"}, "failed_in_a_row": 100, **changes}))


def lease_of(client: Client) -> Lease:
    (lease,) = client.ask("worker", study="study").leases
    return lease


def train(client: Client, lease: Lease | None = None) -> dict[str, object]:
    """Train one trial, with a condition; return its params."""
    lease = lease or lease_of(client)
    params: dict[str, object] = {"optimizer": client.suggest(lease, "optimizer", OPTIMIZER)}
    if params["optimizer"] == "sgd":
        params["momentum"] = client.suggest(lease, "momentum", MOMENTUM)
    params["rate"] = client.suggest(lease, "rate", RATE)
    error = abs(number(params["rate"]) - 0.01)  # type: ignore[arg-type]
    for step in (1, 2):
        client.report(lease, step=step, metrics={METRIC: error / step})
    client.tell(lease, "complete", metrics={METRIC: error / 2})
    return params


def test_trials_with_conditions_of_their_own_are_shown_with_the_params_that_they_have(client: Client) -> None:
    create(client, budget={"trials": 4}, sampler={"name": "random", "seed": 1})

    trained = [train(client) for _ in range(4)]

    assert [dict(trial.params) for trial in client.trials("study")] == trained
    assert {"momentum" in params for params in trained} == {True, False}
    assert client.study("study").state is StudyState.COMPLETE
    assert client.best_trial("study").params in trained


def test_what_is_known_of_a_study_is_known_of_one_whose_trials_say_what_they_search(
    client: Client, http: httpx2.Client
) -> None:
    create(client, budget={"trials": 12}, pruner=EAGER)
    for _ in range(10):
        train(client)
    optimizers = [trial.params["optimizer"] for trial in client.trials("study")]

    shares = client.importances("study").importances

    assert set(optimizers) == {"sgd", "adam"}
    assert set(shares) == {"optimizer", "momentum", "rate"}
    for path in ("progress", "replay", "diagnosis", "best-trials", "export?format=csv", "export?format=json", "checks"):
        assert http.get(f"/v1/studies/study/{path}").status_code == 200, path
    assert http.get("/v1/studies/study/trials/3/diagnosis").status_code == 200


@pytest.mark.parametrize("path", ["prescriptions", "checks", "confirmation", "final"])
def test_what_needs_a_task_is_refused(client: Client, http: httpx2.Client, path: str) -> None:
    create(client, budget={"trials": 2})
    train(client)

    answer = http.post(f"/v1/studies/study/{path}", json={})

    assert (answer.status_code, answer.json()["code"]) in {(409, "conflict"), (409, "nothing_to_prescribe")}


def test_optuna_reads_the_trials_as_its_own(client: Client, engine: sa.Engine) -> None:
    create(client)
    trained = [train(client) for _ in range(4)]

    study = optuna.load_study(study_name="study", storage=OptunaStorage(engine))

    found = [{name.removeprefix("1-"): value for name, value in trial.params.items()} for trial in study.trials]
    assert [set(params) for params in found] == [set(params) for params in trained]
    assert [params["rate"] for params in found] == [params["rate"] for params in trained]


def test_replicas_in_turn_and_a_new_one_suggest_the_same_as_one(start_replica: Serve) -> None:
    sampler = {"name": "tpe", "seed": 5, "startup_trials": 3}
    one, other = start_replica().client, start_replica().client
    create(one, sampler=sampler)
    alone = [train(one) for _ in range(8)]
    one.delete_study("study")
    create(one, sampler=sampler)

    together = [train(client) for client in (one, other, one, other, one, other)]
    lease = lease_of(one)
    one.suggest(lease, "optimizer", OPTIMIZER)
    together += [train(start_replica().client, lease), train(start_replica().client)]

    assert together == alone


def test_only_samplers_that_need_no_space_go_with_none(http: httpx2.Client) -> None:
    body = {"name": "study", "task": None, "sampler": {"name": "grid"}}

    answer = http.post("/v1/studies", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "sampler.name"
    assert "take tpe or random" in answer.json()["errors"][0]["message"]


def test_a_study_says_which_sampler_auto_is(client: Client) -> None:
    create(client, sampler={"name": "auto"})
    train(client)

    sampler = client.study("study").sampler

    assert sampler is not None
    assert (sampler.name, sampler.reason) == ("tpe", "its trials say what they search")


def test_the_budget_counts_trials_exactly(client: Client) -> None:
    create(client, budget={"trials": 3})

    leases = client.ask("worker", study="study", count=5).leases

    assert [lease.params for lease in leases] == [{}] * 3
    assert client.ask("worker", study="study").leases == []
    for lease in leases:
        train(client, lease)
    assert client.ask("worker", study="study").reason is NoLease.STUDY_ENDED


def test_a_study_of_choices_alone_does_not_end_when_all_were_tried(client: Client) -> None:
    create(client, budget={"trials": 4})

    for _ in range(4):
        lease = lease_of(client)
        client.suggest(lease, "optimizer", OPTIMIZER)
        client.tell(lease, "complete", metrics={METRIC: 0.5})

    assert client.study("study").counts.complete == 4


def test_without_a_limit_whoever_creates_it_is_warned(client: Client) -> None:
    create(client, budget={"trials": None})
    lease = lease_of(client)
    client.suggest(lease, "optimizer", OPTIMIZER)

    assert "the budget has no limit" in client.study("study").warnings[0]


def test_controls_are_suggested_values_by_chance(client: Client) -> None:
    sampler = {"name": "tpe", "seed": 3, "startup_trials": 2}
    create(client, control={"share": 0.5}, sampler=sampler)
    client.create_study(spec("chance", space=None, sampler={"name": "random", "seed": 3}))
    by_chance = [client.suggest(lease, "rate", RATE) for lease in client.ask("w", study="chance", count=10).leases]

    trained = [train(client)["rate"] for _ in range(10)]

    origins = [trial.origin for trial in client.trials("study")]
    alike = [value == other for value, other in zip(trained, by_chance, strict=True)]
    assert alike == [at < 2 or origin is Origin.CONTROL for at, origin in enumerate(origins)]
    assert set(origins) == {Origin.SAMPLED, Origin.CONTROL}


def test_a_lost_trial_goes_on_with_its_values(client: Client, replica: Replica, engine: sa.Engine) -> None:
    create(client)
    lost = lease_of(client)
    rate = client.suggest(lost, "rate", RATE)
    let_leases_run_out(engine)
    sweep(replica)

    found = lease_of(client)

    assert (found.trial, found.params) == (lost.trial, {"rate": rate})
    assert client.suggest(found, "rate", RATE) == rate


def test_several_objectives_and_constraints_go_with_no_space(client: Client) -> None:
    objectives = [{"metric": METRIC}, {"metric": "seconds"}]
    sampler = {"name": "tpe", "startup_trials": 2}
    create(client, objectives=objectives, constraints=[{"metric": "size", "at_most": 2}], sampler=sampler)

    for _ in range(5):
        lease = lease_of(client)
        layers = number(client.suggest(lease, "layers", LAYERS))
        client.report(lease, step=1, metrics={METRIC: 1 / layers})
        client.tell(lease, "complete", metrics={METRIC: 1 / layers, "seconds": layers, "size": layers})

    assert {trial.params["layers"] for trial in client.best_trials("study")} <= {1, 2}


def test_its_bounds_are_changed_where_they_are_asked_for(client: Client) -> None:
    create(client)
    train(client)

    with pytest.raises(Invalid, match="is what its trials ask for"):
        client.change_study("study", space={"rate": {"low": 1e-5}})


def test_its_budget_is_changed_as_of_any_other(client: Client) -> None:
    create(client)
    train(client)

    study = client.change_study("study", budget={"trials": 1})

    assert study.state is StudyState.COMPLETE
    assert study.spec.space is not None


def test_the_same_spec_again_is_the_same_study_though_its_space_has_grown(client: Client) -> None:
    create(client)
    train(client)

    create(client)

    assert client.study("study").counts.complete == 1


# -- given trials ---------------------------------------------------------------------------------------


def test_given_values_are_those_that_are_suggested(client: Client) -> None:
    create(client)
    given = client.enqueue("study", {"rate": 0.05, "optimizer": "sgd"})

    params = train(client)

    assert (given.params, given.state) == ({"rate": 0.05, "optimizer": "sgd"}, TrialState.WAITING)
    assert (params["rate"], params["optimizer"]) == (0.05, "sgd")
    assert client.trial("study", 0).params == params


def test_a_given_value_beside_the_range_that_is_asked_for_is_refused(client: Client) -> None:
    create(client)
    client.enqueue("study", {"rate": 0.5, "layers": 2.5, "unused": 1})
    lease = lease_of(client)

    for name, parameter in (("rate", RATE), ("layers", LAYERS)):
        with pytest.raises(Invalid, match="was given the value"):
            client.suggest(lease, name, parameter)

    assert client.study("study").spec.space is None


def test_a_finished_trial_with_params_that_trials_asked_for_is_taken(client: Client) -> None:
    create(client)
    train(client)

    added = client.add_trial("study", {"rate": 0.01}, metrics={METRIC: 0.0})

    assert added.params == {"rate": 0.01}
    assert client.best_trial("study").number == added.number


def test_a_finished_trial_says_what_its_params_could_be_where_no_trial_did(client: Client) -> None:
    create(client)
    parameters: dict[str, Parameter] = {"rate": RATE, "layers": LAYERS}

    client.add_trial("study", {"rate": 0.01, "layers": 2}, metrics={METRIC: 0.0}, parameters=parameters)

    assert client.study("study").spec.space == Space(parameters)
    assert client.trial("study", 0).params == {"rate": 0.01, "layers": 2}


def test_a_finished_trial_with_params_that_nobody_knows_is_refused(client: Client) -> None:
    create(client)
    train(client)

    with pytest.raises(Invalid, match=r"params.rate cannot be 0.5.*params.x is nothing that a trial asked for"):
        client.add_trial("study", {"rate": 0.5, "x": 1}, metrics={METRIC: 0.0})


def test_parameters_of_a_given_trial_are_for_studies_without_a_space(client: Client) -> None:
    client.create_study(spec())

    with pytest.raises(Invalid, match="parameters are for a study without a space"):
        client.add_trial("study", {"x": 0.5}, metrics={METRIC: 0.0}, parameters={"x": RATE})


@pytest.mark.parametrize("of", ["a space", "none"])
def test_it_starts_from_the_trials_of_another_study(client: Client, of: str) -> None:
    create(client)
    trained = [train(client) for _ in range(4)]
    if of == "a space":
        client.create_study(spec("other", space=SPACE.model_dump(mode="json"), warm_start={"study": "study"}))

    source = "other" if of == "a space" else "study"
    client.create_study(spec("next", space=None, sampler={"name": "tpe"}, warm_start={"study": source}))

    taken = [trial.params for trial in client.trials("next")]
    assert client.study("next").spec.space == client.study(source).spec.space
    assert taken == [params for params in trained if of == "none" or "momentum" in params]


def test_a_study_is_read_as_it_is_by_whoever_was_there_before_it_grew(start_replica: Serve) -> None:
    one, other = start_replica().client, start_replica().client
    create(one)
    train(one)
    assert other.trial("study", 0).params
    lease = lease_of(other)
    one.suggest(lease, "late", LAYERS)
    train(one, lease)

    params = other.trial("study", 1).params

    assert "late" in params
    assert LAYERS.contains(other.suggest(lease_of(other), "late", LAYERS))
    assert train(other)


def test_at_most_one_ask_in_a_crowd_gets_each_number(client: Client) -> None:
    create(client, budget={"trials": 5})

    leases = [lease_of(client) for _ in range(5)]

    assert [lease.trial for lease in leases] == list(range(5))
    assert len({client.suggest(lease, "rate", RATE) for lease in leases}) == 5
