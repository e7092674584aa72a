"""What nobody needs any more is forgotten, and nothing else."""

import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.litter import forget
from service.replica import Replica
from tests.service import record
from tests.service.long_polls import wait_until
from tests.service.served import Served
from tests.service.specs import spec
from trimtab.client import Client

LONG_AGO = "UPDATE trimtab_workers SET last_seen_at = now() - interval '2 days'"


def test_workers_of_the_day_before_yesterday_are_forgotten_unless_they_hold_a_trial(
    engine: sa.Engine, client: Client
) -> None:
    client.create_study(spec())
    client.ask("busy", study="study")
    client.ask("gone", tasks=["mlp"])
    record.execute(engine, LONG_AGO)
    client.ask("new", tasks=["mlp"])

    forget(Replica(engine, 30.0))

    assert [worker.name for worker in client.workers()] == ["busy", "new"]


def test_tombstones_are_forgotten_after_a_week(engine: sa.Engine, client: Client) -> None:
    for name, days in (("fresh", 6), ("old", 8)):
        client.create_study(spec(name))
        client.ask("w", study=name)
        client.delete_study(name)
        record.execute(
            engine,
            f"UPDATE trimtab_tombstones SET deleted_at = now() - interval '{days} days' WHERE study = :name",
            name=name,
        )

    forget(Replica(engine, 30.0))

    assert record.value(engine, "SELECT string_agg(study, ',') FROM trimtab_tombstones") == "fresh"


def test_a_running_application_forgets_by_itself(engine: sa.Engine, served: Served) -> None:
    served.client.create_study(spec())
    for key in ("old", "fresh"):
        served.http.post("/v1/leases", json={"worker": "w"}, headers={"Idempotency-Key": key})
    record.execute(engine, "UPDATE trimtab_keys SET created_at = now() - interval '25 hours' WHERE key = 'old'")
    keys = "SELECT json_agg(key ORDER BY key) FROM trimtab_keys WHERE key IN ('old', 'fresh')"
    before = record.value(engine, keys)

    with TestClient(served.app):
        wait_until(lambda: record.value(engine, keys) != before)

    assert (before, record.value(engine, keys)) == (["fresh", "old"], ["fresh"])
