"""/workers: who is there, and what each did in the last day."""

import re
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import sqlalchemy as sa

from service import workers
from service.replica import Replica
from service.storage.stretches import MOST_LEASES, Stretches
from service.sweep import sweep
from service.web.fragments import Fragments
from service.web.timelines import timeline
from tests.service import record
from tests.service.runs import lease_of
from tests.service.served import Served
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.protocol import DeviceMemory, Lease, Worker

DAY = 24 * 3600.0
NOW = datetime(2026, 1, 2, tzinfo=UTC)

# As a lease is in the database that began and ended so many hours ago.
MOVED = """
    UPDATE trimtab_leases SET leased_at = statement_timestamp() - make_interval(secs => 3600.0 * :began),
      ended_at = statement_timestamp() - make_interval(secs => 3600.0 * :ended) WHERE lease_id = :lease_id
"""

MANY = """
    INSERT INTO trimtab_leases (study_id, trial_id, fence, attempt, worker, expires_at, outcome, ended_at)
    SELECT study_id, trial_id, 1 + n, 1 + n, worker, now(), 'released', now()
    FROM trimtab_leases, generate_series(1, :most) AS n
"""


def worker(**changes: object) -> Worker:
    return Worker.model_validate(
        {
            "name": "w",
            "is_alive": True,
            "trials": [],
            "first_seen_at": NOW - timedelta(hours=12),
            "last_seen_at": NOW,
        }
        | changes,
        strict=False,
    )


def trained(client: Client, engine: sa.Engine, *, began: float, ended: float) -> Lease:
    """Train a trial so many hours ago."""
    lease = lease_of(client)
    client.tell(lease, "complete", metrics={METRIC: 0.5})
    record.execute(engine, MOVED, began=began, ended=ended, lease_id=int(lease.id))
    return lease


def clock(engine: sa.Engine) -> float:
    """Return the database's time in seconds."""
    found = record.value(engine, "SELECT CAST(extract(epoch FROM clock_timestamp()) AS float8)")
    assert isinstance(found, float)
    return found


def day(replica: Replica) -> Stretches:
    return workers.day(replica, workers.lately(replica).workers).stretches["worker"]


def test_a_day_is_drawn_together_from_what_a_worker_had(client: Client, engine: sa.Engine, replica: Replica) -> None:
    client.create_study(spec())
    before = clock(engine)
    for began, ended in ((11.99, 11), (11.5, 10.01), (5.99, 5.985), (48, 47), (25, 23.01)):
        trained(client, engine, began=began, ended=ended)

    did = day(replica)

    passed = clock(engine) - before

    assert [tuple(stretch) for stretch in did.busy] == [(0, 30), (360, 420), (540, 541)]
    assert did.busy_seconds == pytest.approx(3600 * (0.99 + 1.98 + 0.005), abs=0.01 + passed)
    assert (did.trials, did.losses) == (4, 0)


def test_what_runs_is_busy_until_now(client: Client, replica: Replica) -> None:
    client.create_study(spec())
    lease_of(client)

    did = day(replica)

    assert [tuple(stretch) for stretch in did.busy] == [(719, 720)]
    assert did.trials == 1


def test_a_lost_trial_is_marked_where_it_was_lost(client: Client, engine: sa.Engine, replica: Replica) -> None:
    client.create_study(spec())
    lease_of(client)
    record.let_leases_run_out(engine)
    sweep(replica)

    did = day(replica)

    assert (list(did.lost), did.losses) == ([719], 1)


def test_an_open_page_shows_a_lost_trial_within_ten_seconds(
    client: Client, engine: sa.Engine, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    fragments, passed = Fragments(lambda: passed), 0.0
    monkeypatch.setattr(served.app.state, "fragments", fragments)
    client.create_study(spec())
    lease_of(client)
    page = served.http.get("/workers").text
    (source, seconds) = re.findall(r'data-fragment="([^"]*-days)" data-seconds="(\d+)"', page)[0]
    before = served.http.get(source).text

    record.let_leases_run_out(engine)
    sweep(served.replica)
    passed = 10.0 - float(seconds)

    assert ["bad" in each for each in (before, served.http.get(source).text)] == [False, True]


def test_of_very_many_trials_the_newest_are_drawn_and_the_page_says_so(
    client: Client, engine: sa.Engine, http: httpx2.Client
) -> None:
    client.create_study(spec())
    trained(client, engine, began=1, ended=0.5)
    before = http.get("/workers").text
    record.execute(engine, MANY, most=MOST_LEASES)

    after = http.get("/workers").text

    assert ["Only the newest trials" in page for page in (before, after)] == [False, True]


def test_who_was_not_heard_of_within_a_day_is_not_shown(client: Client, engine: sa.Engine, replica: Replica) -> None:
    client.ask("gone")
    client.ask("alive")
    record.execute(engine, "UPDATE trimtab_workers SET last_seen_at = now() - interval '25 h' WHERE name = 'gone'")

    assert [worker.name for worker in workers.lately(replica).workers] == ["alive"]


def test_who_is_alive_comes_first(client: Client, engine: sa.Engine, replica: Replica) -> None:
    for name in ("a", "b", "c"):
        client.ask(name)
    record.execute(engine, "UPDATE trimtab_workers SET last_seen_at = now() - interval '1 h' WHERE name = 'a'")

    assert [worker.name for worker in workers.lately(replica).workers] == ["b", "c", "a"]


def test_more_workers_than_can_be_shown_are_said_to_be_there(engine: sa.Engine, replica: Replica) -> None:
    record.execute(
        engine, "INSERT INTO trimtab_workers (name) SELECT 'w' || n FROM generate_series(1, :most) AS n",
        most=workers.MOST_WORKERS + 1,
    )  # fmt: skip

    lately = workers.lately(replica)

    assert (len(lately.workers), lately.has_more) == (workers.MOST_WORKERS, True)


def test_the_page_shows_what_runs_where(client: Client, http: httpx2.Client) -> None:
    client.create_study(spec())
    memory = DeviceMemory(used=9 * 2**30, total=80 * 2**30)
    client.ask("gpu0@tower", study="study", host="<b>", device="cuda:0", device_memory=memory)

    page = http.get("/workers").text

    assert 'href="/studies/study/trials/0"' in page
    assert "9 GiB of 80 GiB" in page
    assert "on <bdi>&lt;b&gt;</bdi>" in page
    assert "<b>" not in page


def test_without_workers_the_page_says_how_to_start_one(http: httpx2.Client) -> None:
    page = http.get("/workers").text

    assert "python -m workers" in page
    assert "<svg" not in page


@pytest.mark.parametrize("path", ["/fragments/workers", "/fragments/worker-days"])
def test_a_page_that_has_it_all_is_told_so(served: Served, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(served.app.state, "fragments", Fragments(lambda: 0.0))
    served.client.ask("worker")
    first = served.http.get(path)

    second = served.http.get(path, headers={"If-None-Match": first.headers["ETag"]})

    assert (first.status_code, second.status_code, second.content) == (200, 304, b"")


def test_a_worker_is_drawn_from_when_it_came_until_it_was_last_heard_of() -> None:
    gone = worker(is_alive=False, last_seen_at=NOW - timedelta(hours=6))

    drawn = timeline(gone, Stretches([(360, 450)], [449], 3 * 3600.0, 7, 1), now=NOW, seconds=DAY)

    assert drawn.there == "M360 11H540V13H360z"
    assert drawn.busy == "M360 4H450V20H360z"
    assert drawn.lost == "M448 0H451V24H448z"
    assert (drawn.share, drawn.trials, drawn.losses) == (0.5, 7, 1)


def test_a_worker_that_did_nothing_was_idle() -> None:
    drawn = timeline(worker(first_seen_at=NOW - timedelta(days=3)), None, now=NOW, seconds=DAY)

    assert (drawn.there, drawn.busy, drawn.lost, drawn.share) == ("M0 11H720V13H0z", "", "", 0.0)


def test_who_has_come_at_this_moment_has_no_share() -> None:
    assert timeline(worker(first_seen_at=NOW), None, now=NOW, seconds=DAY).share == 0.0
