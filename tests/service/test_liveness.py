"""No lease runs out because nobody was there to renew it: whoever is back first extends them all, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service import liveness
from service.database import autocommit
from service.replica import Replica
from service.storage import lease_ends
from service.sweep import sweep
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.runs import lease_of, report
from tests.service.served import Served
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.errors import LeaseLost
from trimtab.protocol import Lease

AWAY = 600.0
"""Seconds; twenty leases."""

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

CALLS: dict[str, Callable[[Client, Lease], object]] = {
    "report": lambda client, lease: report(client, lease, 2, 0.4),
    "repeated report": lambda client, lease: report(client, lease, 1, 0.5),
    "heartbeat": lambda client, lease: client.heartbeat(lease),
    "tell": lambda client, lease: client.tell(lease, "complete", metrics={"error": 0.1}),
}


@pytest.fixture
def lease(client: Client) -> Lease:
    """A lease of 30 s with a report."""
    client.create_study(spec())
    lease = lease_of(client)
    report(client, lease, 1, 0.5)
    return lease


def left(engine: sa.Engine, lease: Lease, column: str = "expires_at") -> timedelta:
    """Return how long it is to one of a lease's times."""
    find = f"SELECT {column} - clock_timestamp() FROM trimtab_leases WHERE lease_id = :lease_id"
    found = record.value(engine, find, lease_id=int(lease.id))
    assert isinstance(found, timedelta)
    return found


def stay(engine: sa.Engine) -> None:
    """Let a replica have been there lately for as long as a slow machine takes for a test."""
    record.execute(engine, "UPDATE trimtab_liveness SET seen_at = seen_at + interval '1 min'")


def test_leases_that_lived_when_the_service_went_away_are_extended_by_as_long(
    lease: Lease, replica: Replica, engine: sa.Engine
) -> None:
    record.be_away(engine, seconds=AWAY)

    liveness.renew(replica.engine)

    assert timedelta(seconds=20) < left(engine, lease) <= timedelta(seconds=30)
    assert sweep(replica) == 0


def test_no_limit_of_a_trial_passes_while_the_service_is_away(
    lease: Lease, replica: Replica, engine: sa.Engine
) -> None:
    record.execute(engine, "UPDATE trimtab_leases SET due_at = expires_at, trial_due_at = expires_at + interval '1 h'")
    record.be_away(engine, seconds=7200)

    liveness.renew(replica.engine)

    assert timedelta(seconds=20) < left(engine, lease, "due_at") < timedelta(seconds=31)
    assert left(engine, lease, "trial_due_at") > timedelta(minutes=59)


def test_a_lease_that_had_run_out_before_is_not_extended(lease: Lease, replica: Replica, engine: sa.Engine) -> None:
    record.let_leases_run_out(engine)
    record.be_away(engine, seconds=AWAY)

    liveness.renew(replica.engine)

    stay(engine)
    assert sweep(replica) == 1
    assert left(engine, lease) < timedelta(0)


def test_a_lease_that_was_renewed_just_before_the_service_went_is_not_extended_by_more(
    lease: Lease, replica: Replica, engine: sa.Engine
) -> None:
    record.execute(engine, "UPDATE trimtab_liveness SET seen_at = seen_at - interval '1 s'")
    record.be_away(engine, seconds=AWAY)

    liveness.renew(replica.engine)

    assert left(engine, lease) <= timedelta(seconds=30)


def test_a_lease_that_was_renewed_when_the_service_was_back_is_not_extended_by_more(
    client: Client, lease: Lease, replica: Replica, engine: sa.Engine
) -> None:
    record.be_away(engine, seconds=10)
    client.heartbeat(lease)

    liveness.renew(replica.engine)

    assert timedelta(seconds=20) < left(engine, lease) <= timedelta(seconds=30)


@pytest.mark.usefixtures("unhurried")
def test_two_replicas_that_are_back_at_once_extend_once(lease: Lease, replica: Replica, engine: sa.Engine) -> None:
    record.be_away(engine, seconds=AWAY)

    with ThreadPoolExecutor() as executor, engine.connect() as holder:
        holder.execute(sa.text("SELECT FROM trimtab_leases FOR UPDATE"))
        both = [executor.submit(liveness.renew, replica.engine) for _ in range(2)]
        wait_until(lambda: record.value(engine, WAITING) == 2)
        holder.rollback()
        for each in both:
            each.result()

    assert timedelta(seconds=20) < left(engine, lease) <= timedelta(seconds=30)


def test_no_replica_takes_back_what_another_has_noted(replica: Replica, engine: sa.Engine) -> None:
    record.execute(engine, "UPDATE trimtab_liveness SET seen_at = clock_timestamp() + interval '1 h'")
    before = seen_at(engine)

    liveness.renew(replica.engine)

    assert seen_at(engine) == before


@pytest.mark.usefixtures("lease")
def test_nothing_is_swept_before_the_leases_are_extended(replica: Replica, engine: sa.Engine) -> None:
    record.be_away(engine, seconds=AWAY)

    swept = sweep(replica)

    assert swept == 0
    assert record.value(engine, "SELECT count(*) FROM trimtab_leases WHERE ended_at IS NULL") == 1


def test_a_lease_that_was_found_before_an_outage_is_not_ended_after_it(
    lease: Lease, replica: Replica, engine: sa.Engine
) -> None:
    record.be_away(engine, seconds=AWAY)

    with autocommit(replica.engine) as connection:
        closed = lease_ends.close_over(connection, int(lease.id))

    assert closed is None


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_worker_that_is_back_before_any_replica_noticed_goes_on(
    client: Client, lease: Lease, engine: sa.Engine, call: Callable[[Client, Lease], object]
) -> None:
    record.be_away(engine, seconds=AWAY)

    call(client, lease)

    assert record.value(engine, "SELECT count(*) FROM trimtab_leases WHERE outcome = 'lost'") == 0


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_worker_whose_lease_was_extended_and_has_run_out_since_is_refused(
    client: Client, lease: Lease, engine: sa.Engine, call: Callable[[Client, Lease], object]
) -> None:
    record.be_away(engine, seconds=AWAY)
    liveness.renew(engine)
    record.let_leases_run_out(engine)

    with pytest.raises(LeaseLost, match="ran out at"):
        call(client, lease)


def test_a_dead_workers_trial_goes_back_after_an_outage_too(lease: Lease, replica: Replica, engine: sa.Engine) -> None:
    record.be_away(engine, seconds=AWAY)
    liveness.renew(replica.engine)
    record.let_leases_run_out(engine)

    swept = sweep(replica)

    assert swept == 1
    assert lease.trial == 0


def test_a_running_application_notes_that_it_is_there_and_extends_by_itself(
    served: Served, lease: Lease, engine: sa.Engine
) -> None:
    record.be_away(engine, seconds=AWAY)

    with TestClient(served.app):
        wait_until(lambda: left(engine, lease) > timedelta(0))
        first = seen_at(engine)
        wait_until(lambda: seen_at(engine) > first)


def seen_at(engine: sa.Engine) -> datetime:
    found = record.value(engine, "SELECT seen_at FROM trimtab_liveness")
    assert isinstance(found, datetime)
    return found
