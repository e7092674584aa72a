"""Studies and the contents that they are trained on."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
import sqlalchemy as sa

from service.database import transaction
from service.datasets import pins
from service.replica import Replica
from service.storage import datasets as stored
from service.storage import studies
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.served import Served
from trimtab.client import Client
from trimtab.data import Problem
from trimtab.datasets import ClassCount, ColumnKind, DatasetColumn, DatasetDescription
from trimtab.errors import DatasetInUse, Forbidden, Invalid
from trimtab.spec import StudySpec

DESCRIPTION = DatasetDescription(
    problem=Problem.CLASSIFICATION,
    target="b",
    examples=200,
    columns=[DatasetColumn(name="a", kind=ColumnKind.NUMBER)],
    classes=[ClassCount(label="0", examples=100), ClassCount(label="1", examples=100)],
)


def put(replica: Replica, name: str = "ours", content: str = "first") -> str:
    """Record a data set as if it had been put; return the hash of its content."""
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    path = f"datasets/{content}"
    file = replica.artifacts.create(path)
    file.write(content.encode())
    file.close()
    with transaction(replica.engine) as connection:
        stored.put(connection, name, DESCRIPTION, sha256=sha256, size=len(content), path=path)
    return sha256


def trained(dataset: str = "ours", **data: object) -> StudySpec:
    """A study of the task `mlp` on a data set."""
    task = {"name": "mlp", "data": {"dataset": dataset, **data}}
    return StudySpec.model_validate({"name": "study", "task": task})


def test_a_study_is_trained_on_what_its_data_set_held_when_it_was_created(client: Client, replica: Replica) -> None:
    sha256 = put(replica)

    created = client.create_study(trained())
    put(replica, content="second")

    (lease,) = client.ask("w", tasks=["mlp"]).leases
    assert created.spec.task
    assert created.spec.task.data.contents == {"ours": sha256}
    assert lease.task
    assert lease.task.data.contents == {"ours": sha256}


def test_the_same_study_again_is_the_same_although_its_data_set_has_a_newer_version(
    client: Client, replica: Replica
) -> None:
    put(replica)
    created = client.create_study(trained())
    put(replica, content="second")

    again = client.create_study(trained())

    assert again.spec == created.spec


def test_a_study_may_name_an_older_version_by_its_content(client: Client, replica: Replica) -> None:
    older = put(replica)
    put(replica, content="second")

    created = client.create_study(trained(contents={"ours": older}))

    assert created.spec.task
    assert created.spec.task.data.contents == {"ours": older}


def test_who_names_a_data_set_that_is_not_there_is_told_those_that_are(client: Client, replica: Replica) -> None:
    put(replica)

    with pytest.raises(Invalid) as refused:
        client.create_study(trained("yours", test_dataset="theirs"))

    assert [problem.field for problem in refused.value.errors] == ["task.data.dataset", "task.data.test_dataset"]
    assert "'yours'; there are digits, breast_cancer" in refused.value.errors[0].message
    assert refused.value.errors[0].message.endswith("spirals, ours; add it: trimtab data put FILE --name yours")


def test_a_content_that_no_version_has_is_refused(client: Client, replica: Replica) -> None:
    put(replica)

    with pytest.raises(Invalid, match="no version"):
        client.create_study(trained(contents={"ours": "0" * 64}))


def test_what_does_not_go_with_data_that_was_put_is_refused_and_nothing_is_stored(
    client: Client, replica: Replica, engine: sa.Engine
) -> None:
    put(replica)
    before = record.rows(engine)

    with pytest.raises(Invalid) as refused:
        client.create_study(trained(split={"group": "b"}))

    assert [problem.field for problem in refused.value.errors] == ["task.data.split.group"]
    assert record.rows(engine) == before


def test_a_data_set_that_a_study_needs_is_not_deleted(client: Client, replica: Replica) -> None:
    put(replica)
    client.create_study(trained())

    with pytest.raises(DatasetInUse, match="'study'"):
        client.delete_dataset("ours")
    client.delete_study("study")

    client.delete_dataset("ours")


def test_a_study_says_that_a_set_which_is_held_out_is_small(client: Client, replica: Replica) -> None:
    put(replica)

    created = client.create_study(trained(split={"validation": 10}))

    assert [text[:37] for text in created.warnings] == ["the validation set has 10 examples: f"]
    assert client.study("study").warnings == created.warnings
    assert next(client.studies()).warnings == created.warnings


def test_a_worker_fetches_what_its_leases_are_trained_on_and_nothing_else(
    served: Served, replica: Replica, http: httpx2.Client
) -> None:
    sha256, other = put(replica), put(replica, "theirs", "second")
    served.client.create_study(trained())
    token = served.client.make_token("worker", "w").token
    worker = Client("http://testserver", token, transport=served.http._transport)
    addresses = [f"/v1/datasets/ours/content?sha256={sha256}", f"/v1/datasets/theirs/content?sha256={other}"]
    headers = {"Authorization": f"Bearer {token}"}

    before = http.get(addresses[0], headers=headers).status_code
    worker.ask("w", tasks=["mlp"])
    answers = [http.get(address, headers=headers).status_code for address in addresses]

    assert before == Forbidden.status
    assert answers == [200, Forbidden.status]


def test_bounds_that_do_not_go_with_the_data_are_refused(client: Client, replica: Replica) -> None:
    put(replica)
    task = {"name": "mlp", "data": {"dataset": "ours"}}
    space = {"batch_size": {"type": "int", "low": 8, "high": 64}}
    client.create_study(StudySpec.model_validate({"name": "study", "task": task, "space": space}))

    with pytest.raises(Invalid, match="can be 121, and the training set has 120 examples"):
        client.change_study("study", space={"batch_size": {"high": 121}})

    assert client.study("study").spec.declared["batch_size"].extremes() == (8, 64)


@pytest.mark.usefixtures("unhurried")
def test_a_data_set_stays_while_a_study_that_pins_it_is_being_created(client: Client, replica: Replica) -> None:
    put(replica)
    with ThreadPoolExecutor() as threads, transaction(replica.engine) as connection:
        studies.insert(connection, pins.resolved(connection, trained()))
        deleting = threads.submit(client.delete_dataset, "ours")
        wait_until(lambda: is_awaited(replica.engine))

        connection.commit()

        with pytest.raises(DatasetInUse):
            deleting.result()


@pytest.mark.usefixtures("unhurried")
def test_a_study_is_refused_whose_data_set_is_deleted_meanwhile(client: Client, replica: Replica) -> None:
    put(replica)
    with ThreadPoolExecutor() as threads, transaction(replica.engine) as connection:
        stored.lock_all_of(connection, "ours")
        creating = threads.submit(client.create_study, trained())
        wait_until(lambda: is_awaited(replica.engine))

        stored.delete(connection, "ours")
        connection.commit()

        with pytest.raises(Invalid, match="is not a data set"):
            creating.result()


def is_awaited(engine: sa.Engine) -> bool:
    """Return whether somebody waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(record.value(engine, waiting))
