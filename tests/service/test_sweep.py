"""The sweep ends leases that have run out, once, whoever else is busy."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.database import transaction
from service.replica import Replica
from service.storage import lease_ends
from service.sweep import sweep
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.runs import lease_of
from tests.service.served import Serve, Served
from tests.service.specs import spec
from trimtab.client import Client

LOCK_STUDY = sa.text(
    "SELECT FROM trimtab_studies JOIN studies USING (study_id) WHERE study_name = 'held' FOR UPDATE OF trimtab_studies"
)


@pytest.fixture
def held(engine: sa.Engine, client: Client) -> Iterator[None]:
    """A study with a lease, whose row somebody holds."""
    client.create_study(spec("held", budget={"trials": 256}))
    client.ask("worker", study="held", count=256)
    with engine.connect() as connection:
        connection.execute(LOCK_STUDY)
        yield


def test_a_lease_that_lives_is_left_alone(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease = lease_of(client)

    swept = sweep(replica)

    assert swept == 0
    client.heartbeat(lease)


def test_each_lease_that_has_run_out_is_ended(client: Client, replica: Replica) -> None:
    # More than it looks at together; of many more a slow machine would take the time for an outage.
    client.create_study(spec(budget={"trials": 120}))
    client.ask("worker", study="study", count=120)
    record.let_leases_run_out(replica.engine)

    swept = sweep(replica)

    assert swept == 120
    assert client.study("study").counts.waiting == 120


def test_two_sweeps_at_once_end_a_lease_once(start_replica: Serve) -> None:
    one, other = start_replica(), start_replica()
    one.client.create_study(spec(budget={"trials": 40}, max_attempts=1, failed_in_a_row=100))
    one.client.ask("worker", study="study", count=40)
    record.let_leases_run_out(one.replica.engine)

    with ThreadPoolExecutor() as executor:
        swept = list(executor.map(lambda served: sweep(served.replica), [one, other]))

    assert sum(swept) == 40
    assert one.client.study("study").counts.fail == 40
    lost = record.value(one.replica.engine, "SELECT sum(lost) FROM trimtab_trials")
    assert lost == 40


def test_a_lease_that_is_told_while_it_is_swept_is_ended_once(client: Client, replica: Replica) -> None:
    client.create_study(spec(budget={"trials": 1}))
    lease = lease_of(client)
    client.tell(lease, "complete", metrics={"error": 0.5})
    record.let_leases_run_out(replica.engine)

    swept = sweep(replica)

    assert swept == 0
    assert client.study("study").counts.complete == 1


@pytest.mark.usefixtures("unhurried", "held")
def test_a_study_that_somebody_holds_does_not_keep_the_sweep_from_others(
    client: Client, replica: Replica, caplog: pytest.LogCaptureFixture
) -> None:
    client.create_study(spec("free"))
    lease_of(client, "free")
    record.let_leases_run_out(replica.engine)

    swept = sweep(replica)

    assert swept == 1
    assert client.study("free").counts.waiting == 1
    # Of its 256 leases one was waited for.
    assert caplog.text.count("somebody holds its study") == 1


def test_a_lease_is_looked_at_again_when_it_is_ended(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease = lease_of(client)

    with transaction(replica.engine) as connection:
        closed = lease_ends.close_over(connection, int(lease.id))

    assert closed is None
    client.heartbeat(lease)


def test_a_running_application_sweeps_by_itself(served: Served) -> None:
    served.client.create_study(spec())
    lease_of(served.client)
    record.let_leases_run_out(served.replica.engine)

    with TestClient(served.app):
        wait_until(lambda: served.client.study("study").counts.waiting == 1)
