"""Gradient checks of a study: asked for, handed out, told, and read again."""

from typing import Any

import httpx2
import pytest

from tests.service.specs import spec
from trimtab.checks import Rating
from trimtab.client import Client
from trimtab.errors import Conflict, Invalid, StudyNotFound
from trimtab.message import Params
from trimtab.protocol import Lease
from trimtab.spec import StudySpec, TaskSpec
from trimtab.states import Outcome, Purpose, StudyState, TrialState

RIGHT = {"gradient_check": 2e-10, "figure.hidden.0.weight": 3e-10, "figure.1.bias": 1e-11, "checked": 900.0}
WRONG = {"gradient_check": 2e-8, "figure.hidden.0.weight": 3e-10, "figure.output.bias": 0.4, "checked": 900.0}
SPACE = {
    "learning_rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
    "optimizer": {"type": "categorical", "choices": ["momentum", "sgd"]},
    "l2": {"type": "float", "low": 1e-6, "high": 0.1, "scale": "log"},
    "hidden_layers": {"type": "int", "low": 2, "high": 3},
    "hidden_units": {"type": "int", "low": 8, "high": 16, "per": "hidden_layers"},
}


@pytest.fixture
def study(client: Client) -> str:
    client.create_study(searching())
    return "study"


def searching(**changes: Any) -> Any:
    task = {"name": "mlp", "fixed": {"activation": "tanh"}}
    return spec(task=task, space=SPACE, objectives=[{"metric": "validation_error"}], **changes)


def lease_of(client: Client, name: str) -> Lease:
    (lease,) = client.ask("worker", study=name).leases
    return lease


def measured(client: Client, lease: Lease, metrics: dict[str, float], outcome: Outcome = Outcome.COMPLETE) -> None:
    """Report and tell as a worker does that checks."""
    client.report(lease, step=1, metrics=metrics)
    if outcome is Outcome.COMPLETE:
        client.tell(lease, outcome, metrics=metrics)
    else:
        client.tell(lease, outcome, message="the gradient of output.bias is wrong")


def test_a_check_waits_for_a_worker_that_has_the_task(client: Client, study: str) -> None:
    asked = client.check_gradients(study)
    lease = client.ask("worker", tasks=["mlp"], purposes=Purpose).leases[0]

    assert (asked.study, asked.state, asked.rating, asked.figure) == ("study.check", TrialState.WAITING, None, None)
    assert client.study("study.check").purpose is Purpose.CHECK
    assert client.study("study").children == ["study.check"]
    found = next(
        lease
        for lease in [lease, *client.ask("worker", tasks=["mlp"], purposes=Purpose).leases]
        if lease.study == asked.study
    )
    assert (found.purpose, found.params) == (Purpose.CHECK, asked.params)


def test_params_that_are_not_given_are_the_tasks_own_or_the_nearest_that_the_study_has(
    client: Client, study: str
) -> None:
    asked = client.check_gradients(study)

    fixed = client.study(asked.study).spec.task
    assert fixed
    assert fixed.fixed == {"activation": "tanh"}
    assert (asked.params["learning_rate"], asked.params["hidden_layers"], asked.params["l2"]) == (1e-3, 2, 1e-6)
    assert asked.params["optimizer"] in {"momentum", "sgd"}
    assert isinstance(asked.params["hidden_units"], tuple)


def test_a_study_of_the_default_space_can_be_checked(client: Client) -> None:
    client.create_study(StudySpec(name="study", task=TaskSpec(name="mlp")))

    asked = client.check_gradients("study")

    assert asked.params["optimizer"] == "adam"
    assert "momentum" not in asked.params


def test_given_params_come_before_all_others(client: Client, study: str) -> None:
    params: Params = {"hidden_layers": 2, "hidden_units": (64, 32), "activation": "gelu", "l1": 0.5}

    asked = client.check_gradients(study, params)

    lease = lease_of(client, asked.study)
    assert lease.task
    assert lease.task.fixed == {"activation": "gelu", "l1": 0.5}
    assert (lease.params["hidden_layers"], lease.params["hidden_units"]) == (2, (64, 32))


def test_what_a_check_found_is_read_again(client: Client, study: str) -> None:
    asked = client.check_gradients(study)

    measured(client, lease_of(client, asked.study), RIGHT)

    (found,) = client.checks(study)
    assert (found.state, found.rating, found.figure) == (TrialState.COMPLETE, Rating.RIGHT, 2e-10)
    assert found.tensors == {"hidden.0.weight": 3e-10, "1.bias": 1e-11}
    assert found.metrics == {"checked": 900.0}
    assert found.completed_at is not None
    assert client.study(asked.study).state is StudyState.COMPLETE


def test_a_check_that_found_a_wrong_tensor_has_failed_and_says_where(client: Client, study: str) -> None:
    asked = client.check_gradients(study)

    measured(client, lease_of(client, asked.study), WRONG, Outcome.ERROR)

    (found,) = client.checks(study)
    assert (found.state, found.outcome, found.rating) == (TrialState.FAIL, Outcome.ERROR, Rating.WRONG)
    assert found.reason == "the gradient of output.bias is wrong"
    assert found.tensors["output.bias"] == 0.4


def test_a_check_of_which_a_tensor_could_not_be_compared_is_suspicious(client: Client, study: str) -> None:
    asked = client.check_gradients(study)

    measured(client, lease_of(client, asked.study), RIGHT | {"uncompared": 1}, Outcome.ERROR)

    (found,) = client.checks(study)
    assert (found.rating, found.metrics["uncompared"]) == (Rating.SUSPICIOUS, 1)


def test_a_check_that_came_to_nothing_has_no_rating(client: Client, study: str) -> None:
    asked = client.check_gradients(study)

    client.tell(lease_of(client, asked.study), Outcome.OUT_OF_MEMORY)

    (found,) = client.checks(study)
    assert (found.state, found.rating, found.figure) == (TrialState.FAIL, None, None)


def test_checks_are_listed_the_newest_first_page_by_page(client: Client, http: httpx2.Client, study: str) -> None:
    for _ in range(3):
        client.check_gradients(study)

    first = http.get("/v1/studies/study/checks", params={"limit": 2}).json()
    rest = http.get("/v1/studies/study/checks", params={"limit": 2, "cursor": first["next"]}).json()

    assert [check["study"] for check in first["items"] + rest["items"]] == [
        "study.check-3",
        "study.check-2",
        "study.check",
    ]
    assert rest["next"] is None


def test_the_same_request_twice_makes_one_check(client: Client, http: httpx2.Client, study: str) -> None:
    first, again = (
        http.post("/v1/studies/study/checks", json={}, headers={"Idempotency-Key": "once"}) for _ in range(2)
    )

    assert first.status_code == again.status_code == 201
    assert first.headers["Location"] == "/v1/studies/study.check"
    assert first.json() == again.json()
    assert len(list(client.checks(study))) == 1


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"learning_rate": -1.0}, "params.learning_rate"),
        ({"learning_rate": 1e200}, "params.learning_rate"),
        ({"hidden_units": 8}, "params.hidden_units"),
        ({"width": 8}, "params.width"),
        ({"activation": "step"}, "params.activation"),
        ({"batch_size": 100_000}, "params.batch_size"),
        ({"loss": "squared"}, "params.loss"),
        ({"feature_noise": 0.1}, "params.feature_noise"),
        ({"dropout": (0.1, 0.2)}, "params.dropout"),
    ],
)
def test_params_that_the_task_cannot_have_are_refused(client: Client, study: str, params: Params, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        client.check_gradients(study, params)

    assert [error.field for error in refused.value.errors] == [field]
    assert list(client.checks(study)) == []


def test_a_check_is_not_checked_itself(client: Client, study: str) -> None:
    asked = client.check_gradients(study)

    with pytest.raises(Conflict, match="is a check itself: ask for that of 'study'"):
        client.check_gradients(asked.study)


def test_a_study_that_is_not_there_is_not_checked(client: Client) -> None:
    with pytest.raises(StudyNotFound):
        client.check_gradients("study")
    with pytest.raises(StudyNotFound):
        client.checks("study")
