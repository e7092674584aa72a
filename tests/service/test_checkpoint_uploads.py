"""Checkpoints on their way into the store: what is kept, what is refused, and what leaves nothing behind."""

import hashlib
import logging
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
import uvicorn

from service.files import CHUNK_BYTES
from service.replica import Replica
from tests.service import record
from tests.service.checkpointing import begun, files, lost, put
from tests.service.long_polls import wait_until
from tests.service.served import TOKEN, Connect, Serve
from tests.service.specs import METRIC
from trimtab.client import Client
from trimtab.errors import BodyTooLarge, Invalid, LeaseEnded, LeaseLost, StepConflict, StudyDeleted


def test_a_checkpoint_sent_twice_is_kept_once_and_renews_the_lease(
    client: Client, store: Path, engine: sa.Engine
) -> None:
    lease = begun(client, 0.5)
    first = put(client, lease, 1)
    before = record.rows(engine)
    expires_at = record.value(engine, "SELECT expires_at FROM trimtab_leases")

    again = put(client, lease, 1)

    after = record.rows(engine)
    assert again == first
    assert {table for table, rows in after.items() if rows != before[table]} == {"trimtab_leases"}
    assert record.value(engine, "SELECT expires_at FROM trimtab_leases") > expires_at  # type: ignore[operator]
    assert len(files(store)) == 1


def test_a_checkpoint_renews_the_lease(client: Client, engine: sa.Engine) -> None:
    lease = begun(client, 0.5)
    soon = "UPDATE trimtab_leases SET expires_at = clock_timestamp() + interval '5 s' RETURNING expires_at"
    before = record.value(engine, soon)

    put(client, lease, 1)

    later = "SELECT extract(epoch FROM expires_at - :before) > 20 FROM trimtab_leases"
    assert record.value(engine, later, before=before) is True


def test_a_checkpoint_that_is_not_the_one_announced_is_refused(client: Client, store: Path) -> None:
    lease = begun(client, 0.5)

    for content, sha256 in ((b"state", "0" * 64), (b"", hashlib.sha256(b"").hexdigest())):
        with pytest.raises(Invalid, match="sha256"):
            put(client, lease, 1, content, sha256)

    assert files(store) == []


@pytest.mark.parametrize("step", [2, 7])
def test_a_checkpoint_of_a_step_that_was_not_reported_is_refused(client: Client, store: Path, step: int) -> None:
    lease = begun(client, 0.5)

    with pytest.raises(StepConflict):
        put(client, lease, step)

    assert files(store) == []


def test_a_checkpoint_over_the_limit_is_refused_whether_it_says_its_length_or_not(
    start_replica: Serve, store: Path
) -> None:
    served = start_replica(max_checkpoint_bytes=10)
    lease = begun(served.client, 0.5)
    address = f"/v1/leases/{lease.id}/checkpoint?step=1&sha256={'0' * 64}"

    with pytest.raises(BodyTooLarge):
        put(served.client, lease, 1, b"x" * 11)
    unsaid = served.http.put(address, content=iter([b"x" * 6] * 2), headers={"Trimtab-Fence": str(lease.fence)})

    assert (unsaid.status_code, unsaid.json()["code"]) == (413, "body_too_large")
    assert files(store) == []


def test_a_checkpoint_over_the_limit_of_other_bodies_is_taken(client: Client, store: Path) -> None:
    lease = begun(client, 0.5)

    sent = put(client, lease, 1, b"x" * 3_000_000)

    assert sent.size == 3_000_000
    assert [path.stat().st_size for path in files(store)] == [3_000_000]


def test_a_zombie_writes_no_checkpoint_and_reads_none(
    client: Client, replica: Replica, store: Path, tmp_path: Path
) -> None:
    lease = begun(client, 0.5)
    put(client, lease, 1)
    lost(client, replica)

    with pytest.raises(LeaseLost):
        put(client, lease, 1, b"other")
    with pytest.raises(LeaseLost):
        client.get_checkpoint(lease, tmp_path / "got")

    assert len(files(store)) == 1


def test_an_ended_trial_takes_no_checkpoint(client: Client) -> None:
    lease = begun(client, 0.5)
    client.tell(lease, "complete", metrics={METRIC: 0.5})

    with pytest.raises(LeaseEnded):
        put(client, lease, 1)


def test_a_checkpoint_of_a_deleted_study_is_refused(client: Client) -> None:
    lease = begun(client, 0.5)
    client.delete_study("study")

    with pytest.raises(StudyDeleted):
        put(client, lease, 1)


def test_a_checkpoint_with_a_key_is_kept_once_and_answered_alike(
    http: httpx2.Client, client: Client, store: Path
) -> None:
    lease = begun(client, 0.5)
    address = f"/v1/leases/{lease.id}/checkpoint?step=1&sha256={hashlib.sha256(b'state').hexdigest()}"
    headers = {"Trimtab-Fence": str(lease.fence), "Idempotency-Key": "k"}

    answers = [http.put(address, content=b"state", headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert len(files(store)) == 1


def test_a_checkpoint_that_is_cut_half_way_leaves_nothing_behind(
    client: Client,
    store: Path,
    engine: sa.Engine,
    connect: Connect,
    server: uvicorn.Server,
    caplog: pytest.LogCaptureFixture,
) -> None:
    lease = begun(client, 0.5)
    before = record.rows(engine)
    content = b"x" * (2 * CHUNK_BYTES)
    sha256 = hashlib.sha256(content).hexdigest()
    sender = connect()
    sender.sendall(
        f"PUT /v1/leases/{lease.id}/checkpoint?step=1&sha256={sha256} HTTP/1.1\r\nHost: here\r\n"
        f"Authorization: Bearer {TOKEN}\r\nTrimtab-Fence: {lease.fence}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n".encode()
    )
    sender.sendall(content[:-1])
    wait_until(lambda: any(path.stat().st_size for path in files(store)))

    sender.close()

    wait_until(lambda: not server.server_state.tasks)
    assert files(store) == []
    assert record.rows(engine) == before
    assert [found for found in caplog.records if found.levelno >= logging.ERROR] == []
