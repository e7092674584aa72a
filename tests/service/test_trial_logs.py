"""What a training writes is kept line by line, the first ones and the last; read from the end or followed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import httpx2
import pytest
import sqlalchemy as sa

from service import trial_logs
from service.litter import forget
from service.replica import Replica
from service.sweep import sweep
from service.trial_logs import Asked
from tests.service import record
from tests.service.long_polls import LONG, wait_until, waiters
from tests.service.runs import lease_of
from tests.service.specs import METRIC, spec
from trimtab.client import Client
from trimtab.errors import LeaseEnded, LeaseLost, StudyNotFound, TrialNotFound
from trimtab.protocol import Lease, Page
from trimtab.trial_logs import FIRST_LINES, LAST_LINES, MAX_LINE, LogLine

LOGS = "/v1/studies/study/trials/0/logs"


@pytest.fixture
def lease(client: Client) -> Lease:
    client.create_study(spec())
    return lease_of(client)


def texts(client: Client, **wanted: int) -> list[str]:
    return [line.text for line in client.logs("study", 0, **wanted)]


def numbers(first: int, count: int) -> list[str]:
    return [f"line {number}" for number in range(first, first + count)]


def write(client: Client, lease: Lease, *, first: int, count: int) -> None:
    for begin in range(first, first + count, 1000):
        client.keep_lines(lease, numbers(begin, min(1000, first + count - begin)), first=begin)


def test_what_a_training_wrote_is_read_in_its_order(client: Client, lease: Lease) -> None:
    client.keep_lines(lease, ["epoch 1", "\tloss 0.5"], first=0)
    client.keep_lines(lease, ["epoch 2"], first=2)

    found = list(client.logs("study", 0))

    assert [(line.attempt, line.line, line.text) for line in found] == [
        (1, 0, "epoch 1"),
        (1, 1, "\tloss 0.5"),
        (1, 2, "epoch 2"),
    ]


def test_lines_that_are_sent_twice_are_there_once(client: Client, lease: Lease) -> None:
    answers = [client.keep_lines(lease, ["a", "b"], first=0), client.keep_lines(lease, ["a", "b", "c"], first=0)]

    assert [answer.next for answer in answers] == [2, 3]
    assert texts(client) == ["a", "b", "c"]


def test_only_the_end_of_it_is_read_where_that_is_wanted(client: Client, lease: Lease) -> None:
    write(client, lease, first=0, count=300)

    assert texts(client, tail=150) == numbers(150, 150)
    assert texts(client, tail=0) == []
    assert texts(client, tail=1000) == numbers(0, 300)


def test_of_very_many_lines_the_first_and_the_last_are_kept_and_the_gap_is_said(client: Client, lease: Lease) -> None:
    write(client, lease, first=0, count=FIRST_LINES + LAST_LINES + 500)

    found = list(client.logs("study", 0))

    assert [line.text for line in found] == numbers(0, FIRST_LINES) + numbers(FIRST_LINES + 500, LAST_LINES)
    assert {line.line: line.left_out for line in found if line.left_out} == {FIRST_LINES + 500: 500}


def test_lines_that_the_worker_left_out_are_said(client: Client, lease: Lease) -> None:
    client.keep_lines(lease, ["first"], first=0)
    client.keep_lines(lease, ["much later"], first=100_000)

    assert [(line.text, line.left_out) for line in client.logs("study", 0)] == [("first", 0), ("much later", 99_999)]


def test_each_attempt_has_lines_of_its_own_and_one_of_them_can_be_read_alone(
    client: Client, lease: Lease, engine: sa.Engine
) -> None:
    client.keep_lines(lease, ["gave it back"], first=0)
    client.tell(lease, "released")
    lost = lease_of(client)
    client.keep_lines(lost, ["was lost"], first=0)
    record.let_leases_run_out(engine)
    sweep(Replica(engine, 30.0))
    client.keep_lines(lease_of(client), ["went on"], first=0)

    found = [(line.fence, line.attempt, line.text) for line in client.logs("study", 0)]

    assert found == [(1, 1, "gave it back"), (2, 1, "was lost"), (3, 2, "went on")]
    assert texts(client, attempt=2) == ["went on"]


def test_nothing_is_written_for_a_lease_that_has_run_out_or_ended(
    client: Client, lease: Lease, engine: sa.Engine
) -> None:
    other = lease_of(client)
    client.tell(other, "complete", metrics={METRIC: 0.5})
    record.let_leases_run_out(engine)

    with pytest.raises(LeaseLost):
        client.keep_lines(lease, ["too late"], first=0)
    with pytest.raises(LeaseEnded):
        client.keep_lines(other, ["too late"], first=0)

    assert record.value(engine, "SELECT count(*) FROM trimtab_logs") == 0


def test_the_lease_is_not_renewed(client: Client, lease: Lease, engine: sa.Engine) -> None:
    expiry = "SELECT expires_at FROM trimtab_leases"
    before = record.value(engine, expiry)

    client.keep_lines(lease, ["text"], first=0)

    assert record.value(engine, expiry) == before


def test_the_client_sends_lines_as_a_terminal_would_show_them(client: Client, lease: Lease) -> None:
    written = [" 10%\r 20%\r 30%", "\x1b[31mred\x1b[0m\r\n", "\x1b]0;title\x07bell\x07", "x" * (MAX_LINE + 1), "\udcff"]

    client.keep_lines(lease, written, first=0)

    assert texts(client) == [" 30%", "red", "bell\\x07", "x" * (MAX_LINE - 1) + "…", "\\udcff"]


@pytest.mark.parametrize("character", ["x", '"', "\U0001f4c8"])
def test_a_thousand_of_the_longest_lines_are_kept(client: Client, lease: Lease, character: str) -> None:
    written = [f"{number:03}".ljust(MAX_LINE, character) for number in range(1000)]

    kept = client.keep_lines(lease, written, first=5)

    assert kept.next == 1005
    assert [(line.line, line.text) for line in client.logs("study", 0)] == [*enumerate(written, start=5)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"first": 0, "lines": ["x" * (MAX_LINE + 1)]}, "lines.0"),
        ({"first": 0, "lines": ["two\nlines"]}, "lines.0"),
        ({"first": 0, "lines": ["\x1b[2J"]}, "lines.0"),
        ({"first": 0, "lines": ["a"] * 1001}, "lines"),
        ({"first": 0, "lines": []}, "lines"),
        ({"first": -1, "lines": ["a"]}, "first"),
        ({"first": 2**31, "lines": ["a"]}, "first"),
    ],
)
def test_lines_that_cannot_be_kept_are_refused(
    http: httpx2.Client, lease: Lease, body: dict[str, object], field: str
) -> None:
    answer = http.post(f"/v1/leases/{lease.id}/logs", json=body, headers={"Trimtab-Fence": str(lease.fence)})

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_who_follows_has_lines_as_they_come_until_the_trial_has_ended(
    client: Client, lease: Lease, replica: Replica
) -> None:
    read: SimpleQueue[str] = SimpleQueue()

    def follow() -> None:
        for line in client.follow_logs("study", 0, tail=1):
            read.put(line.text)

    client.keep_lines(lease, ["long before", "before"], first=0)
    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    assert read.get(timeout=LONG) == "before"
    wait_until(lambda: waiters(replica) == 1)

    client.keep_lines(lease, ["while it is followed"], first=2)
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    assert read.get(timeout=LONG) == "while it is followed"
    follower.join(LONG)
    assert not follower.is_alive()


def test_who_follows_from_the_end_misses_nothing_that_comes_while_the_request_is_held(
    client: Client, http: httpx2.Client, lease: Lease, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_looked = threading.Event()
    look = trial_logs.page

    def looked(replica: Replica, asked: Asked) -> Page[LogLine]:
        found = look(replica, asked)
        has_looked.set()
        return found

    monkeypatch.setattr(trial_logs, "page", looked)
    client.keep_lines(lease, ["before"], first=0)
    with ThreadPoolExecutor(1) as readers:
        held = readers.submit(http.get, LOGS, params={"wait": LONG, "tail": 0})
        assert has_looked.wait(LONG)

        client.keep_lines(lease, ["while it is held"], first=1)
        replica.changes.announce()

        assert [line["text"] for line in held.result(LONG).json()["items"]] == ["while it is held"]


def test_a_page_that_waits_says_that_there_is_nothing_to_wait_for(
    client: Client, http: httpx2.Client, lease: Lease
) -> None:
    client.keep_lines(lease, ["last words"], first=0)
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    pages = [http.get(LOGS, params={"wait": LONG, **more}).json() for more in ({}, {"tail": 0})]

    assert [(len(page["items"]), page["next"]) for page in pages] == [(1, None), (0, None)]


def test_logs_of_what_is_not_there_are_not_found(client: Client, lease: Lease, http: httpx2.Client) -> None:
    with pytest.raises(StudyNotFound):
        client.logs("nowhere", 0)
    with pytest.raises(TrialNotFound):
        client.logs("study", 7)

    assert http.get(LOGS, params={"cursor": "7"}).json()["errors"][0]["field"] == "cursor"


def test_lines_of_leases_that_ended_a_month_ago_are_forgotten(client: Client, lease: Lease, engine: sa.Engine) -> None:
    other = lease_of(client)
    for each in (lease, other):
        client.keep_lines(each, ["text"], first=0)
        client.tell(each, "complete", metrics={METRIC: 0.5})
    record.execute(
        engine,
        "UPDATE trimtab_leases SET ended_at = now() - interval '31 days' WHERE lease_id = :old",
        old=int(lease.id),
    )

    forget(Replica(engine, 30.0))

    assert texts(client) == []
    assert [line.text for line in client.logs("study", other.trial)] == ["text"]


def test_lines_go_with_their_study(client: Client, lease: Lease, engine: sa.Engine) -> None:
    client.keep_lines(lease, ["text"], first=0)

    client.delete_study("study")

    assert record.value(engine, "SELECT count(*) FROM trimtab_logs") == 0
