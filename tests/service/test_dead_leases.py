"""A lease that is lost, ended, deleted or was never there: its worker is told which, and nothing is written."""

from collections.abc import Callable

import httpx2
import pytest
import sqlalchemy as sa

from service.replica import Replica
from service.sweep import sweep
from tests.service import record
from tests.service.runs import lease_of, report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import LeaseEnded, LeaseLost, LeaseNotFound, StudyDeleted
from trimtab.protocol import Lease

Call = Callable[[Client, Lease], object]

CALLS: dict[str, Call] = {
    "report": lambda client, lease: report(client, lease, 2, 0.4),
    "repeated report": lambda client, lease: report(client, lease, 1, 0.5),
    "heartbeat": lambda client, lease: client.heartbeat(lease),
    "complete": lambda client, lease: client.tell(lease, "complete", metrics={"error": 0.1}),
    "release": lambda client, lease: client.tell(lease, "released"),
    "error": lambda client, lease: client.tell(lease, "error", message="boom"),
}

each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@pytest.fixture
def lease(client: Client) -> Lease:
    client.create_study(spec())
    lease = lease_of(client)
    report(client, lease, 1, 0.5)
    return lease


@each_call
def test_a_lease_that_has_run_out_is_lost(client: Client, lease: Lease, engine: sa.Engine, call: Call) -> None:
    record.let_leases_run_out(engine)
    before = record.rows(engine)

    with pytest.raises(LeaseLost, match="this lease on trial 0 of 'study' ran out at"):
        call(client, lease)

    assert record.rows(engine) == before


@each_call
def test_a_lease_that_was_swept_is_lost(
    client: Client, lease: Lease, replica: Replica, engine: sa.Engine, call: Call
) -> None:
    record.let_leases_run_out(engine)
    sweep(replica)
    before = record.rows(engine)

    with pytest.raises(LeaseLost):
        call(client, lease)

    assert record.rows(engine) == before


@each_call
def test_a_lease_is_lost_to_the_next_one(
    client: Client, lease: Lease, replica: Replica, engine: sa.Engine, call: Call
) -> None:
    record.let_leases_run_out(engine)
    sweep(replica)
    newer = lease_of(client)
    before = record.rows(engine)

    with pytest.raises(LeaseLost):
        call(client, lease)

    assert (newer.trial, newer.fence) == (lease.trial, lease.fence + 1)
    assert record.rows(engine) == before


@each_call
def test_another_fence_than_its_own_does_not_open_a_lease(
    client: Client, lease: Lease, engine: sa.Engine, call: Call
) -> None:
    before = record.rows(engine)

    with pytest.raises(LeaseLost, match="the fence of this lease is not 2"):
        call(client, lease.model_copy(update={"fence": 2}))

    assert record.rows(engine) == before


@pytest.mark.parametrize("name", ["report", "heartbeat", "release", "error"])
def test_a_lease_that_was_told_has_ended(client: Client, lease: Lease, engine: sa.Engine, name: str) -> None:
    client.tell(lease, "complete", metrics={"error": 0.2})
    before = record.rows(engine)

    with pytest.raises(LeaseEnded, match="complete"):
        CALLS[name](client, lease)

    assert record.rows(engine) == before


@each_call
def test_a_lease_that_never_was_is_not_found(client: Client, lease: Lease, engine: sa.Engine, call: Call) -> None:
    before = record.rows(engine)

    with pytest.raises(LeaseNotFound):
        call(client, lease.model_copy(update={"id": "999999999999"}))

    assert record.rows(engine) == before


@pytest.mark.parametrize("unknown", ["0", "-1", "x", "9" * 30])
def test_a_lease_that_can_never_be_is_not_found(client: Client, lease: Lease, unknown: str) -> None:
    with pytest.raises(LeaseNotFound):
        client.heartbeat(lease.model_copy(update={"id": unknown}))


@each_call
def test_a_lease_of_a_deleted_study_says_so(client: Client, lease: Lease, engine: sa.Engine, call: Call) -> None:
    client.delete_study("study")
    before = record.rows(engine)

    with pytest.raises(StudyDeleted, match="study 'study' was deleted"):
        call(client, lease)

    assert record.rows(engine) == before


@each_call
def test_a_lease_that_had_ended_when_its_study_was_deleted_says_so_too(
    client: Client, lease: Lease, call: Call
) -> None:
    client.tell(lease, "error")
    client.delete_study("study")

    with pytest.raises(StudyDeleted, match="study 'study' was deleted"):
        call(client, lease)


def test_a_lease_that_had_ended_a_day_before_its_study_was_deleted_is_forgotten(
    client: Client, lease: Lease, engine: sa.Engine
) -> None:
    client.tell(lease, "error")
    record.execute(engine, "UPDATE trimtab_leases SET ended_at = ended_at - interval '25 hours'")
    client.delete_study("study")

    with pytest.raises(LeaseNotFound):
        client.tell(lease, "error")


@each_call
def test_a_lease_of_a_deleted_study_is_not_one_of_its_namesake(
    client: Client, lease: Lease, engine: sa.Engine, call: Call
) -> None:
    client.delete_study("study")
    client.create_study(spec())
    lease_of(client)
    before = record.rows(engine)

    with pytest.raises(StudyDeleted):
        call(client, lease)

    assert record.rows(engine) == before


def test_a_refusal_has_its_status_and_code(
    http: httpx2.Client, client: Client, lease: Lease, engine: sa.Engine
) -> None:
    path, headers = f"/v1/leases/{lease.id}/heartbeat", {"Trimtab-Fence": str(lease.fence)}

    record.let_leases_run_out(engine)
    lost = http.post(path, headers=headers)
    client.delete_study("study")
    deleted = http.post(path, headers=headers)

    assert (lost.status_code, lost.json()["code"]) == (409, "lease_lost")
    assert (deleted.status_code, deleted.json()["code"]) == (410, "study_deleted")


@pytest.mark.parametrize(
    "send",
    [
        lambda client, lease: client.report(lease, step=1, metrics={"another": 0.5}),
        lambda client, lease: client.tell(lease, "complete", metrics={"another": 0.5}),
    ],
    ids=["report", "tell"],
)
def test_of_a_lost_lease_it_is_said_first_that_it_is_lost(
    client: Client, replica: Replica, send: Callable[[Client, Lease], object]
) -> None:
    client.create_study(spec())
    lease = lease_of(client)
    record.let_leases_run_out(replica.engine)

    with pytest.raises(LeaseLost):
        send(client, lease)
