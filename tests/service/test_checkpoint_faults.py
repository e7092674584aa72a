"""A store that is away, full or broken is no defect of the service, and no file is left that comes to nothing."""

import errno
import hashlib
import logging
from io import BytesIO
from pathlib import Path

import httpx2
import pytest
import uvicorn

from service.artifacts import Artifacts
from service.replica import Replica
from tests.service.checkpointing import begun, files, lost, put
from tests.service.long_polls import wait_until
from tests.service.served import TOKEN, Connect
from trimtab.client import Client
from trimtab.protocol import Lease

CONTENT = b"state"


def send(http: httpx2.Client, lease: Lease, step: int, content: bytes = CONTENT, key: str = "k") -> httpx2.Response:
    """Send a checkpoint, once."""
    return http.put(
        f"/v1/leases/{lease.id}/checkpoint",
        params={"step": step, "sha256": hashlib.sha256(content).hexdigest()},
        content=content,
        headers={"Trimtab-Fence": str(lease.fence), "Idempotency-Key": key},
    )


def broken(*_: object) -> None:
    raise OSError(errno.ENOSPC, "no space left on device")


def missing(*_: object, **__: object) -> None:
    # As a store does that is no disk: without a number.
    raise FileNotFoundError("the bucket does not exist")


class Elsewhere(BytesIO):
    """A file that is on no disk, and an answer of its store that nobody knows."""

    def read(self, *_: object) -> bytes:
        raise OSError(errno.EIO, "unknown code")


def test_a_store_that_is_full_is_asked_again_later(
    client: Client, http: httpx2.Client, replica: Replica, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    with monkeypatch.context() as patch:
        patch.setattr(replica.artifacts._files, "open", broken)
        refused = send(http, lease, 1)

    accepted = send(http, lease, 1)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert accepted.status_code == 200
    assert len(files(store)) == 1


def test_a_store_that_has_lost_its_folder_is_asked_again_later(
    client: Client, http: httpx2.Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    monkeypatch.setattr(replica.artifacts._files, "makedirs", missing)

    refused = send(http, lease, 1)

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "None" not in refused.text


def test_a_checkpoint_that_is_kept_is_answered_though_old_files_cannot_be_deleted(
    client: Client, http: httpx2.Client, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5, 0.4, 0.3)
    put(client, lease, 1)
    put(client, lease, 2)
    monkeypatch.setattr(replica.artifacts._files, "rm_file", broken)

    answer = send(http, lease, 3)

    assert answer.status_code == 200


def test_a_file_that_its_disk_cannot_read_gives_way_to_the_one_before(
    client: Client, replica: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5, 0.4)
    put(client, lease, 1, b"one")
    put(client, lease, 2, b"two")
    whole = Artifacts.open
    unreadable: list[str] = []

    def opened(self: Artifacts, path: str) -> object:
        file = whole(self, path)
        if not unreadable:
            unreadable.append(path)
            monkeypatch.setattr("service.files.CHUNK_BYTES", Unreadable())
        return file

    class Unreadable:
        """A number of bytes that fails to be read once."""

        def __index__(self) -> int:
            monkeypatch.setattr("service.files.CHUNK_BYTES", 2**20)
            raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(Artifacts, "open", opened)
    resumed = lost(client, replica)

    found = client.get_checkpoint(resumed, tmp_path / "state")

    assert found
    assert (found.step, (tmp_path / "state").read_bytes()) == (1, b"one")


def test_a_checkpoint_that_a_store_elsewhere_does_not_give_now_is_not_forgotten(
    client: Client, http: httpx2.Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = begun(client, 0.5)
    put(client, lease, 1)
    monkeypatch.setattr(Artifacts, "open", lambda *_: Elsewhere())

    refused = http.get(f"/v1/leases/{lease.id}/checkpoint", headers={"Trimtab-Fence": str(lease.fence)})

    assert refused.status_code == 503
    assert len(files(store)) == 1


def test_no_file_is_left_of_a_checkpoint_that_is_replaced(client: Client, store: Path) -> None:
    lease = begun(client, 0.5)
    put(client, lease, 1, b"one")

    put(client, lease, 1, b"another")

    assert [path.read_bytes() for path in files(store)] == [b"another"]


def test_a_checkpoint_sent_again_when_its_lease_has_ended_gets_its_first_answer(
    client: Client, http: httpx2.Client
) -> None:
    lease = begun(client, 0.5)
    first = send(http, lease, 1)
    client.tell(lease, "complete", metrics={"error": 0.5})

    again = send(http, lease, 1)

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_key_that_was_used_for_another_checkpoint_is_refused_before_anything_is_written(
    client: Client, http: httpx2.Client, store: Path
) -> None:
    lease = begun(client, 0.5, 0.4)
    send(http, lease, 1)

    refused = send(http, lease, 2)

    assert refused.json()["code"] == "idempotency_mismatch"
    assert len(files(store)) == 1


def test_a_body_that_is_cut_off_is_one_line_in_the_log(
    client: Client, connect: Connect, server: uvicorn.Server, caplog: pytest.LogCaptureFixture
) -> None:
    lease = begun(client, 0.5)
    caplog.clear()
    caplog.set_level(logging.INFO, "service")
    sender = connect()
    sender.sendall(
        f"POST /v1/leases/{lease.id}/heartbeat HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Trimtab-Fence: {lease.fence}\r\nIdempotency-Key: k\r\nContent-Length: 2\r\n\r\n".encode()
    )
    wait_until(lambda: bool(server.server_state.tasks))

    sender.close()

    wait_until(lambda: not server.server_state.tasks)
    said = [(found.levelname, found.message) for found in caplog.records if found.name.startswith("service")]
    assert said == [("INFO", f"POST /v1/leases/{lease.id}/heartbeat was cut off by its sender")]
