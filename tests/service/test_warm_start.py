"""A study starts from the trials of another one, as far as they fit."""

from collections.abc import Mapping
from typing import Any

import httpx2
import optuna
import pytest
import sqlalchemy as sa

from service.storage import given
from service.storage.optuna_storage import OptunaStorage
from tests.service import record
from tests.service.runs import complete, lease_of, report
from tests.service.specs import METRIC, body, spec
from trimtab.client import Client
from trimtab.spec import StudySpec
from trimtab.states import Origin, StudyState, TrialState

FROM_OTHER: dict[str, Any] = {"warm_start": {"study": "other"}}
RATE = {"type": "float", "low": 0.0, "high": 1.0}
RATES = {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"}
VALIDATED = {"validation_error": 0.1}


def mlp(name: str, fixed: Mapping[str, object], space: Mapping[str, object], **changes: Any) -> StudySpec:
    """Return a study of the task `mlp`."""
    task = {"name": "mlp", "fixed": fixed}
    return spec(name, task=task, space=space, objectives=[{"metric": "validation_error"}], **changes)


def refused(http: httpx2.Client, **changes: Any) -> dict[str, str]:
    """What is said of each field of a study that cannot be made."""
    answer = http.post("/v1/studies", json=body(**changes))
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["message"] for error in answer.json()["errors"]}


def add_all(client: Client, study: str, *points: Mapping[str, object]) -> None:
    """Add a complete trial at each point, each one better than the one before."""
    for place, point in enumerate(points):
        client.add_trial(study, point, metrics={METRIC: 0.5 - place / 100})


def points(client: Client, study: str = "study") -> list[object]:
    return [trial.params for trial in client.trials(study)]


def test_a_study_begins_with_the_finished_trials_of_another(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec("other"))
    first = complete(client, [0.75, 0.5], "other")
    client.tell(lease_of(client, "other"), "error")
    pruned = lease_of(client, "other")
    report(client, pruned, 1, 0.25)
    client.tell(pruned, "pruned")
    lease_of(client, "other")

    created = client.create_study(spec(**FROM_OTHER))

    trials = list(client.trials("study"))
    orders = record.value(
        engine, "SELECT array_agg(finish_order ORDER BY number) FROM trimtab_trials WHERE origin = 'added'"
    )
    assert (created.added, created.counts.finished, created.state) == (2, 2, StudyState.RUNNING)
    assert [trial.params for trial in trials] == [first.params, pruned.params]
    assert [(trial.state, trial.values) for trial in trials] == [
        (TrialState.COMPLETE, {METRIC: 0.5}),
        (TrialState.PRUNED, {METRIC: 0.25}),
    ]
    assert {trial.origin for trial in trials} == {Origin.ADDED}
    assert orders == [1, 2]
    assert client.best_trial("study").number == 0
    assert lease_of(client).trial == 2


def test_curves_come_with_their_trials(client: Client, storage: OptunaStorage) -> None:
    client.create_study(spec("other"))
    lost = lease_of(client, "other")
    client.report(lost, step=1, metrics={METRIC: 1.0})
    client.tell(lost, "released")
    lease = lease_of(client, "other")
    for step, error in enumerate([0.75, None, 0.5], start=1):
        client.report(lease, step=step, metrics={METRIC: error, "loss": 2.0})
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    client.create_study(spec(**FROM_OTHER))
    client.create_study(spec("third", warm_start={"study": "study"}))

    for study in ("study", "third"):
        reports = client.trial(study, 0).reports
        trial = optuna.load_study(study_name=study, storage=storage).trials[0]
        assert [(one.step, one.metrics) for one in reports] == [
            (step, {METRIC: error, "loss": 2.0}) for step, error in enumerate([0.75, None, 0.5], start=1)
        ]
        assert {step: trial.intermediate_values[step] for step in (1, 3)} == {1: 0.75, 3: 0.5}
        assert client.trial(study, 0).step == 3


def test_trials_that_this_space_does_not_have_stay_behind(client: Client) -> None:
    client.create_study(spec("other", space={"x": RATE, "y": RATE}))
    add_all(client, "other", {"x": 0.1, "y": 0.1}, {"x": 0.9, "y": 0.2}, {"x": 0.2, "y": 0.3})

    created = client.create_study(spec(space={"x": {**RATE, "high": 0.5}}, **FROM_OTHER))

    assert created.added == 2
    assert points(client) == [{"x": 0.1}, {"x": 0.2}]


def test_trials_that_lack_a_parameter_of_this_space_stay_behind(client: Client) -> None:
    client.create_study(spec("other"))
    add_all(client, "other", {"x": 0.1})

    created = client.create_study(spec(space={"x": RATE, "y": RATE}, **FROM_OTHER))

    assert created.added == 0


def test_parameters_map_by_name_whatever_their_scale_and_order(client: Client) -> None:
    client.create_study(
        spec(
            "other",
            space={
                "kind": {"type": "categorical", "choices": ["a", "b"]},
                "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
            },
        )
    )
    add_all(client, "other", {"kind": "a", "momentum": 0.75}, {"kind": "b", "momentum": 0.9})
    space = {
        "momentum": {"type": "float", "low": 0.0, "high": 1.0, "when": {"kind": ["b"]}},
        "kind": {"type": "categorical", "choices": ["c", "b", "a"]},
    }

    created = client.create_study(spec(space=dict(reversed(space.items())), **FROM_OTHER))

    assert created.added == 2
    assert points(client) == [{"kind": "a"}, {"kind": "b", "momentum": pytest.approx(0.9)}]


def test_trials_without_a_metric_that_this_study_needs_stay_behind(client: Client) -> None:
    client.create_study(spec("other"))
    client.add_trial("other", {"x": 0.1}, metrics={METRIC: 0.5})
    client.add_trial("other", {"x": 0.2}, metrics={METRIC: 0.5, "parameters": 10})
    client.add_trial("other", {"x": 0.3}, metrics={METRIC: 0.25, "parameters": 1000})

    client.create_study(spec(constraints=[{"metric": "parameters", "at_most": 100}], **FROM_OTHER))

    assert points(client) == [{"x": 0.2}, {"x": 0.3}]
    assert client.best_trial("study").params == {"x": 0.2}


def test_what_one_study_fixes_and_the_other_searches_is_compared(client: Client) -> None:
    rate = {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"}
    units = {"type": "int", "low": 16, "high": 256}
    task: dict[str, Any] = {"name": "mlp", "fixed": {"optimizer": "adam"}}
    objective = {"objectives": [{"metric": "validation_error"}]}
    client.create_study(spec("other", task=task, space={"learning_rate": rate, "hidden_units": units}, **objective))
    for number in (64, 128):
        client.add_trial("other", {"learning_rate": 0.01, "hidden_units": number}, metrics={"validation_error": 0.5})
    fixed = {**task, "fixed": {"optimizer": "adam", "hidden_units": 64}}
    sgd = {**task, "fixed": {"optimizer": "sgd"}}
    wider = {
        "learning_rate": rate,
        "hidden_units": units,
        "optimizer": {"type": "categorical", "choices": ["sgd", "adam"]},
    }

    added = [
        client.create_study(spec(f"study-{place}", task=each, space=space, **objective, **FROM_OTHER)).added
        for place, (each, space) in enumerate(
            [
                (fixed, {"learning_rate": rate}),
                (task, {"learning_rate": rate}),
                (sgd, {"learning_rate": rate, "hidden_units": units}),
                ({"name": "mlp"}, wider),
            ]
        )
    ]

    # Not fixed is the task's default, 128.
    assert added == [1, 1, 0, 2]
    assert points(client, "study-3")[0] == {"learning_rate": 0.01, "hidden_units": 64, "optimizer": "adam"}


LAYERS = {"type": "int", "low": 1, "high": 2}
UNITS = {"type": "int", "low": 16, "high": 512}
UNITS_OF_EACH = {**UNITS, "per": "hidden_layers"}


@pytest.mark.parametrize(
    ("fixed", "space", "added"),
    [
        ({}, {"hidden_layers": LAYERS, "hidden_units": UNITS}, 0),
        ({"hidden_units": 256}, {"hidden_layers": LAYERS}, 0),
        ({}, {"hidden_layers": LAYERS}, 0),
        ({"hidden_layers": 2, "hidden_units": [256, 32]}, {"learning_rate": RATES}, 1),
        ({"hidden_layers": 2, "hidden_units": [256, 64]}, {"learning_rate": RATES}, 0),
        ({"hidden_layers": 2}, {"learning_rate": RATES, "hidden_units": UNITS_OF_EACH}, 1),
    ],
)
def test_a_list_is_compared_with_a_list_and_never_with_one_value(
    client: Client, fixed: dict[str, Any], space: dict[str, Any], added: int
) -> None:
    client.create_study(mlp("other", {}, {"hidden_layers": LAYERS, "hidden_units": UNITS_OF_EACH}))
    client.add_trial("other", {"hidden_layers": 2, "hidden_units": [256, 32]}, metrics=VALIDATED)

    created = client.create_study(mlp("study", fixed, space, **FROM_OTHER))

    assert created.added == added


def test_a_list_that_is_fixed_there_may_be_searched_here_and_one_value_may_not(client: Client) -> None:
    for name, units in {"list": [256, 32], "value": 128}.items():
        client.create_study(mlp(name, {"hidden_layers": 2, "hidden_units": units}, {"learning_rate": RATES}))
        client.add_trial(name, {"learning_rate": 0.01}, metrics=VALIDATED)
    searched = {"learning_rate": RATES, "hidden_units": UNITS_OF_EACH}

    added = [
        client.create_study(mlp(f"from-{name}", {"hidden_layers": 2}, searched, warm_start={"study": name})).added
        for name in ("list", "value")
    ]

    assert added == [1, 0]
    assert points(client, "from-list") == [{"learning_rate": pytest.approx(0.01), "hidden_units": (256, 32)}]


def test_a_study_does_not_start_from_one_that_is_not_there(client: Client, http: httpx2.Client) -> None:
    assert refused(http, **FROM_OTHER) == {"warm_start.study": "is no study: 'other'"}
    assert refused(http, warm_start={"study": "study"}) == {"warm_start.study": "is no study: 'study'"}
    assert list(client.studies()) == []


def test_a_study_does_not_start_from_figures_that_do_not_compare(http: httpx2.Client) -> None:
    wine = {"name": "mlp", "data": {"dataset": "wine"}}
    http.post("/v1/studies", json={"name": "other", "task": {"name": "mlp"}})

    answer = http.post("/v1/studies", json={"name": "study", "task": wine, **FROM_OTHER})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "field": "warm_start.study",
            "message": "'other' trains mlp on digits, this study mlp on wine: their figures do not compare",
        }
    ]


def test_the_same_spec_again_takes_nothing_over_again(client: Client) -> None:
    client.create_study(spec("other"))
    add_all(client, "other", {"x": 0.1})
    client.create_study(spec(**FROM_OTHER))
    add_all(client, "other", {"x": 0.2})

    again = client.create_study(spec(**FROM_OTHER))
    client.delete_study("other")

    assert again.added == 1
    assert client.create_study(spec(**FROM_OTHER)).added == 1


def test_only_the_newest_are_taken_over(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given, "MAX_TAKEN", 3)
    monkeypatch.setattr(given, "_AT_ONCE", 2)
    client.create_study(spec("other"))
    add_all(client, "other", *({"x": number / 10} for number in range(5)))

    client.create_study(spec(**FROM_OTHER))

    assert points(client) == [{"x": 0.2}, {"x": 0.3}, {"x": 0.4}]
    assert client.best_trial("study").params == {"x": 0.4}
