"""Studies are created, read and deleted by name."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import optuna
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.served import Serve
from tests.service.specs import body, spec
from trimtab.client import Client
from trimtab.errors import StudyExists, StudyNotFound
from trimtab.states import StudyState


def test_a_study_that_is_created_runs_and_can_be_read(client: Client) -> None:
    created = client.create_study(spec())

    assert created.state is StudyState.RUNNING
    assert created.counts.finished == 0
    assert client.study("study") == created


def test_creation_is_answered_with_where_the_study_is(http: httpx2.Client) -> None:
    answer = http.post("/v1/studies", json=body())

    assert answer.status_code == 201
    assert answer.headers["Location"] == "/v1/studies/study"
    assert http.get(answer.headers["Location"]).json() == answer.json()


def test_the_same_spec_again_gives_the_study_as_it_is(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    client.ask("worker", study="study")

    answer = http.post("/v1/studies", json=body())

    assert answer.status_code == 200
    assert answer.json()["counts"]["running"] == 1


def test_a_spec_that_resolves_to_the_same_is_the_same(client: Client) -> None:
    short = spec(task={"name": "mlp"}, space="default", objectives=[{"metric": "validation_error"}])
    created = client.create_study(short)

    again = client.create_study(created.spec)

    assert again == created


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"budget": {"trials": 11}}, "budget"),
        ({"space": {"x": {"type": "float", "low": 0.0, "high": 2.0}}}, "space"),
        ({"sampler": {"name": "random", "seed": 1}, "max_attempts": 1}, "sampler, max_attempts"),
    ],
)
def test_another_spec_under_the_same_name_is_refused_and_the_difference_named(
    client: Client, changes: dict[str, Any], named: str
) -> None:
    created = client.create_study(spec())

    with pytest.raises(StudyExists, match=f"differs in {named}; take another name"):
        client.create_study(spec(**changes))

    assert client.study("study") == created


def test_the_same_parameters_in_another_order_are_another_spec(client: Client) -> None:
    x, y = {"type": "int", "low": 0, "high": 1}, {"type": "int", "low": 0, "high": 2}
    created = client.create_study(spec(space={"x": x, "y": y}))

    with pytest.raises(StudyExists, match=r"differs in space; "):
        client.create_study(spec(space={"y": y, "x": x}))

    assert list(created.spec.searched) == ["x", "y"]


def test_one_and_true_are_different_choices(client: Client) -> None:
    client.create_study(spec(space={"x": {"type": "categorical", "choices": [0, 1]}}))

    with pytest.raises(StudyExists, match=r"differs in space; "):
        client.create_study(spec(space={"x": {"type": "categorical", "choices": [False, True]}}))


@pytest.mark.usefixtures("unhurried")
def test_of_two_that_create_the_same_study_at_once_one_does(start_replica: Serve) -> None:
    clients = [start_replica().http for _ in range(2)]

    with ThreadPoolExecutor(8) as executor:
        answers = list(executor.map(lambda n: clients[n % 2].post("/v1/studies", json=body()), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.text for answer in answers}) == 1


def test_a_name_that_optuna_took_is_refused(client: Client, engine: sa.Engine) -> None:
    record.execute(engine, "INSERT INTO studies (study_name) VALUES ('study')")

    with pytest.raises(StudyExists, match="Optuna"):
        client.create_study(spec())


def test_a_study_that_nobody_created_is_not_found(client: Client) -> None:
    with pytest.raises(StudyNotFound, match="there is no study 'study'"):
        client.study("study")


def test_a_deleted_study_is_gone_with_all_that_it_had(client: Client, http: httpx2.Client, engine: sa.Engine) -> None:
    before = record.rows(engine)
    client.create_study(spec())
    lease = client.ask("worker", study="study").leases[0]
    client.report(lease, step=1, metrics={"error": 0.5})
    client.tell(lease, "complete", metrics={"error": 0.5})

    answer = http.delete("/v1/studies/study")

    assert answer.status_code == 204
    left = {key: list[str]() for key in ("trimtab_workers", "trimtab_audit", "trimtab_keys", "trimtab_tombstones")}
    assert record.rows(engine) | left == before
    with pytest.raises(StudyNotFound):
        client.study("study")


def test_a_study_can_be_deleted_once(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    client.delete_study("study")

    answer = http.delete("/v1/studies/study")

    assert answer.status_code == 404
    assert answer.json()["code"] == "study_not_found"


def test_the_name_of_a_deleted_study_is_free_again(client: Client) -> None:
    client.create_study(spec())
    client.delete_study("study")

    created = client.create_study(spec(budget={"trials": 3}))

    assert created.counts.finished == 0
    assert created.spec.budget.trials == 3


def test_optuna_sees_the_study_with_its_name_and_direction(client: Client, database_url: str) -> None:
    client.create_study(spec(objectives=[{"metric": "accuracy", "direction": "maximize"}]))

    study = optuna.load_study(study_name="study", storage=database_url)

    assert study.direction is optuna.study.StudyDirection.MAXIMIZE
