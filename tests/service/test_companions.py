"""Studies that follow another one: made by the service, with their trials, for a purpose of their own."""

from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from service import companions
from service.companions import Companion
from service.database import transaction
from service.replica import Replica
from service.storage import studies
from tests.reliability.auditor import audit
from tests.service import record
from tests.service.specs import spec
from trimtab.budget import Limits
from trimtab.client import Client
from trimtab.errors import Conflict, Invalid, StudyDeleted, StudyNotFound
from trimtab.message import Params
from trimtab.states import Outcome, Purpose, StudyState

SPACE = {
    "learning_rate": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
    "optimizer": {"type": "categorical", "choices": ["momentum", "adam"]},
    "momentum": {
        "type": "float",
        "low": 0.5,
        "high": 0.999,
        "scale": "reverse_log",
        "when": {"optimizer": ["momentum"]},
    },
    "hidden_layers": {"type": "int", "low": 1, "high": 2},
    "hidden_units": {"type": "int", "low": 8, "high": 16, "per": "hidden_layers"},
}
ADAM: Params = {"learning_rate": 0.01, "optimizer": "adam", "hidden_layers": 2, "hidden_units": (8, 12)}
MOMENTUM: Params = {
    "learning_rate": 5.0,
    "optimizer": "momentum",
    "momentum": 0.9,
    "hidden_layers": 1,
    "hidden_units": (64,),
}
DELETED = "SELECT subject FROM trimtab_audit WHERE action = 'delete study' ORDER BY entry_id"


def searching(**changes: Any) -> Any:
    """Return a study of a task, whose trials have lists and conditions."""
    task = {"name": "mlp", "fixed": {"epochs": 3}}
    return spec(task=task, space=SPACE, objectives=[{"metric": "validation_error"}], **changes)


def follow(replica: Replica, *points: Params, fixed: Params | None = None) -> str:
    """Make a companion of `study`; return its name."""
    with transaction(replica.engine) as connection:
        parent, task = companions.locked_parent(connection, "study")
        task = task.model_copy(update={"fixed": {**task.fixed, **(fixed or {})}})
        wanted = Companion(Purpose.CONFIRMATION, task, "validation_error", points, seed=7)
        return companions.follow(connection, parent, wanted).spec.name


def test_a_companion_trains_the_points_that_it_was_given_and_no_others(client: Client, replica: Replica) -> None:
    client.create_study(searching())

    name = follow(replica, ADAM, MOMENTUM)
    leases = [client.ask("worker", study=name).leases for _ in range(3)]

    assert [lease.params for found in leases for lease in found] == [ADAM, MOMENTUM]
    assert all(lease.purpose is Purpose.CONFIRMATION for found in leases for lease in found)


def test_a_companion_is_complete_when_its_trials_have_ended(client: Client, replica: Replica) -> None:
    client.create_study(searching())
    name = follow(replica, ADAM)
    (lease,) = client.ask("worker", study=name).leases

    client.tell(lease, Outcome.COMPLETE, metrics={"validation_error": 0.1})

    assert client.study(name).state is StudyState.COMPLETE
    assert audit(replica.engine) == []


def test_companions_are_numbered_from_the_second_on_and_know_their_parent(client: Client, replica: Replica) -> None:
    client.create_study(searching())

    names = [follow(replica, ADAM) for _ in range(3)]

    assert names == ["study.confirmation", "study.confirmation-2", "study.confirmation-3"]
    assert client.study("study").children == names
    assert {client.study(name).parent for name in names} == {"study"}


def test_a_companion_of_a_study_with_the_longest_name_has_one_too(client: Client, replica: Replica) -> None:
    client.create_study(searching())
    with transaction(replica.engine) as connection:
        parent, task = companions.locked_parent(connection, "study")
    wanted = Companion(Purpose.CHECK, task, "gradient_check", [ADAM], seed=0)
    long = parent.spec.model_copy(update={"name": "n" * 128})
    with transaction(replica.engine) as connection:
        studies.insert(connection, long)
        other, _ = companions.locked_parent(connection, "n" * 128)

        made = companions.follow(connection, other, wanted)

    assert made.spec.name == "n" * 122 + ".check"


LIMITS = {"trial_seconds": 60, "step_seconds": 5}


@pytest.mark.parametrize(
    ("purpose", "before", "after", "limits"),
    [
        (Purpose.CONFIRMATION, 1, 4, Limits(trial_seconds=240, step_seconds=15)),  # An epoch was a step, of three.
        (Purpose.CONFIRMATION, 2, 4, Limits(trial_seconds=120, step_seconds=5)),
        (Purpose.CONFIRMATION, 4, 2, Limits(trial_seconds=60, step_seconds=5)),
        (Purpose.FINAL, 4, 1, Limits(trial_seconds=60, step_seconds=5)),
    ],
)
def test_a_companion_has_the_time_that_its_trainings_need(
    client: Client, replica: Replica, purpose: Purpose, before: int, after: int, limits: Limits
) -> None:
    task = {"name": "mlp", "fixed": {"epochs": 3}, "repeats": before}
    client.create_study(spec(task=task, space=SPACE, objectives=[{"metric": "validation_error"}], limits=LIMITS))

    with transaction(replica.engine) as connection:
        parent, own = companions.locked_parent(connection, "study")
        own = own.model_copy(update={"repeats": after})
        made = companions.follow(connection, parent, Companion(purpose, own, "training_error", [ADAM], seed=7))

    assert made.spec.limits == limits


@pytest.mark.parametrize(("repeats", "seconds"), [(1, 3600), (2, 3 * 3600)])
def test_a_step_that_is_a_training_has_an_hour_for_each_epoch(repeats: int, seconds: float) -> None:
    task = {"name": "mlp", "fixed": {"epochs": 3}, "repeats": repeats}

    resolved = spec(task=task, space=SPACE, objectives=[{"metric": "validation_error"}]).resolved()

    assert resolved.limits.step_seconds == seconds


def test_what_is_fixed_comes_before_what_the_parent_searches(client: Client, replica: Replica) -> None:
    client.create_study(searching())

    name = follow(replica, ADAM, fixed={"learning_rate": 0.5, "epochs": 9})
    (lease,) = client.ask("worker", study=name).leases

    assert lease.params["learning_rate"] == 0.5
    assert lease.task
    assert lease.task.fixed == {"epochs": 9}


def test_a_point_that_the_task_cannot_have_is_refused_and_nothing_is_made(client: Client, replica: Replica) -> None:
    client.create_study(searching())

    with pytest.raises(Invalid, match="learning_rate"):
        follow(replica, {**ADAM, "learning_rate": -1.0})
    with pytest.raises(Invalid, match=r"params\.hidden_units must be a list"):
        follow(replica, {**ADAM, "hidden_units": 8})
    with pytest.raises(Invalid, match="lion"):
        follow(replica, {**ADAM, "optimizer": "lion"})
    with pytest.raises(Invalid, match=r"params\.learning_rate cannot be 'fast'"):
        follow(replica, {**ADAM, "learning_rate": "fast"})

    assert client.study("study").children == []


def test_only_a_study_with_a_task_is_followed(client: Client, replica: Replica) -> None:
    client.create_study(spec())

    with pytest.raises(Conflict, match="has no task"):
        follow(replica, {"x": 0.5})
    client.delete_study("study")
    with pytest.raises(StudyNotFound):
        follow(replica, {"x": 0.5})


def test_nothing_follows_a_companion(client: Client, replica: Replica) -> None:
    client.create_study(searching())
    name = follow(replica, ADAM)

    with transaction(replica.engine) as connection, pytest.raises(Conflict, match="ask for that of 'study'"):
        companions.locked_parent(connection, name)

    # As Optuna itself would: the service deletes the companions too.
    record.execute(replica.engine, "DELETE FROM studies WHERE study_name = 'study'")
    with transaction(replica.engine) as connection, pytest.raises(Conflict, match="that it followed is deleted"):
        companions.locked_parent(connection, name)


def test_a_study_goes_with_its_companions_but_not_with_what_was_prescribed_for_it(
    client: Client, replica: Replica
) -> None:
    client.create_study(searching())
    client.create_study(spec("other"))
    name = follow(replica, ADAM, MOMENTUM)
    prescribed(replica, "next")
    lease = client.ask("worker", study=name).leases[0]

    client.delete_study("study")

    assert [study.name for study in client.studies()] == ["next", "other"]
    assert client.study("next").parent is None
    with pytest.raises(StudyDeleted, match=f"study '{name}' was deleted"):
        client.heartbeat(lease)
    with transaction(replica.engine) as connection:
        deleted = connection.execute(sa.text(DELETED))
        assert list(deleted.scalars()) == ["study", name]
    assert audit(replica.engine) == []


def prescribed(replica: Replica, name: str) -> None:
    with transaction(replica.engine) as connection:
        parent = studies.require(connection, "study")
        following = parent.spec.model_copy(update={"name": name})
        studies.insert(connection, following, purpose=Purpose.PRESCRIPTION, parent_id=parent.study_id)


@pytest.mark.parametrize("metric", ["gradient_check", "test_error"])
def test_no_study_searches_by_what_only_companions_report(http: httpx2.Client, metric: str) -> None:
    body = {"name": "study", "task": {"name": "mlp"}, "objectives": [{"metric": metric}]}

    answer = http.post("/v1/studies", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "objectives.0.metric"
