"""Who works, on what, is there to be read."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
import sqlalchemy as sa

from tests.service import record
from tests.service.runs import report
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import DeviceMemory


def test_before_anybody_asks_there_are_none(client: Client) -> None:
    assert list(client.workers()) == []


def test_a_worker_that_asks_in_vain_is_there(client: Client) -> None:
    client.ask("gpu0@host", host="host", device="cuda:0")

    (worker,) = client.workers()

    assert (worker.name, worker.host, worker.device) == ("gpu0@host", "host", "cuda:0")
    assert (worker.is_alive, worker.trials) == (True, [])


def test_a_worker_shows_the_tasks_that_it_asked_for_last(client: Client) -> None:
    client.ask("worker", tasks=["mlp"])
    client.ask("worker", tasks=["mlp", "ours:build"])
    client.ask("without")

    shown = {worker.name: worker.tasks for worker in client.workers()}

    assert shown == {"worker": ["mlp", "ours:build"], "without": []}


def test_a_worker_shows_the_memory_of_its_device_as_it_said_last(client: Client) -> None:
    gibibyte = 2**30
    client.ask("worker", device="cuda:0", device_memory=DeviceMemory(used=0, total=80 * gibibyte))
    client.ask("worker", device="cuda:0", device_memory=DeviceMemory(used=9 * gibibyte, total=80 * gibibyte))
    client.ask("on-the-processor", device="cpu")

    shown = {worker.name: worker.device_memory for worker in client.workers()}

    assert shown == {"worker": DeviceMemory(used=9 * gibibyte, total=80 * gibibyte), "on-the-processor": None}


def test_a_memory_that_no_device_has_is_refused(http: httpx2.Client) -> None:
    for memory in ({"used": -1, "total": 1}, {"used": 0, "total": 2**53}, {"used": 0}):
        answer = http.post("/v1/leases", json={"worker": "w", "device_memory": memory})

        assert answer.status_code == 422


def test_a_worker_shows_the_trials_that_it_is_on(client: Client) -> None:
    client.create_study(spec())
    leases = client.ask("worker", study="study", count=3).leases
    client.tell(leases[1], "complete", metrics={"error": 0.5})

    (worker,) = client.workers()

    assert [(held.study, held.trial) for held in worker.trials] == [("study", 0), ("study", 2)]


def test_a_worker_that_moved_is_listed_once_where_it_is_now(client: Client) -> None:
    client.ask("worker", host="old", device="cpu")
    first = next(client.workers())

    client.ask("worker", host="new", device="cuda:0")

    (worker,) = client.workers()
    assert (worker.host, worker.device) == ("new", "cuda:0")
    assert worker.first_seen_at == first.first_seen_at
    assert worker.last_seen_at >= first.last_seen_at


def test_a_worker_that_is_not_heard_of_is_not_alive(client: Client, engine: sa.Engine) -> None:
    client.ask("worker")
    record.execute(engine, "UPDATE trimtab_workers SET last_seen_at = now() - interval '1 hour'")

    (worker,) = client.workers()

    assert not worker.is_alive


def test_a_worker_that_reports_is_alive(client: Client, engine: sa.Engine) -> None:
    client.create_study(spec())
    lease = client.ask("worker", study="study").leases[0]
    record.execute(engine, "UPDATE trimtab_workers SET last_seen_at = now() - interval '1 hour'")
    record.execute(engine, "UPDATE trimtab_leases SET renewed_at = now() - interval '1 hour'")

    report(client, lease, 1, 0.5)

    (worker,) = client.workers()
    assert worker.is_alive


@pytest.mark.parametrize("last", ["pruned", "released"])
def test_a_worker_that_has_just_told_is_alive(client: Client, engine: sa.Engine, last: str) -> None:
    client.create_study(spec())
    lease = client.ask("worker", study="study").leases[0]
    record.execute(engine, "UPDATE trimtab_workers SET last_seen_at = now() - interval '1 hour'")

    client.tell(lease, last)

    (worker,) = client.workers()
    assert worker.is_alive


@pytest.mark.usefixtures("unhurried")
def test_the_slots_of_one_worker_do_not_lock_each_other_out(client: Client) -> None:
    for name in ("one", "two", "three"):
        client.create_study(spec(name, budget={"trials": 1_000}))

    def work(_: int) -> None:
        client.tell(client.ask("worker").leases[0], "released")
        client.tell(client.ask("worker").leases[0], "complete", metrics={"error": 0.5})

    with ThreadPoolExecutor(12) as slots:
        list(slots.map(work, range(60)))

    assert sum(study.counts.complete for study in client.studies()) == 60


def test_a_cursor_leads_from_page_to_page_by_name(client: Client, http: httpx2.Client) -> None:
    for name in ("c", "a", "b"):
        client.ask(name)

    first = http.get("/v1/workers?limit=2").json()
    second = http.get("/v1/workers", params={"limit": 2, "cursor": first["next"]}).json()

    assert [worker["name"] for worker in first["items"]] == ["a", "b"]
    assert ([worker["name"] for worker in second["items"]], second["next"]) == (["c"], None)
