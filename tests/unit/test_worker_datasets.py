"""The data sets that a worker keeps on its machine."""

import os
import threading
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.unit.stub import Answer, Asked, Stub, refused
from trimtab.client import Client
from trimtab.data import DataSpec
from trimtab.errors import DatasetNotFound, InternalError, Unauthorized, Unreachable
from workers.datasets import DatasetNotKept, Datasets, DatasetUnavailable
from workers.drain import Drain

CONTENT = "rows and targets"
SHA256 = sha256(CONTENT.encode()).hexdigest()
OURS = DataSpec(dataset="ours", contents={"ours": SHA256})
HOURS_AGO = time.time() - 7200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "datasets"


@pytest.fixture
def datasets(client: Client, folder: Path) -> Datasets:
    return Datasets(client, folder)


class Hasty(Drain):
    """Does not wait."""

    def wait(self, seconds: float) -> None:
        pass


def sent(_: Asked) -> Answer:
    return Answer(200, CONTENT, {"Content-Type": "application/octet-stream"})


def test_a_data_set_is_fetched_once_by_its_hash(stub: Stub, datasets: Datasets, folder: Path) -> None:
    stub.answering = sent

    first, again = (datasets.fetch(OURS, Drain()) for _ in range(2))

    (asked,) = stub.asked
    assert (asked.path, asked.query) == ("/v1/datasets/ours/content", {"sha256": SHA256})
    assert first == again == {"ours": folder / f"{SHA256}.npz"}
    assert first["ours"].read_text() == CONTENT


def test_another_worker_of_the_machine_finds_it_there(
    stub: Stub, datasets: Datasets, client: Client, folder: Path
) -> None:
    stub.answering = sent
    datasets.fetch(OURS, Drain())

    Datasets(client, folder).fetch(OURS, Drain())

    assert len(stub.asked) == 1


def test_slots_that_need_it_at_once_fetch_it_once(stub: Stub, client: Client, folder: Path) -> None:
    stub.answering = sent
    slots = [threading.Thread(target=Datasets(client, folder).fetch, args=(OURS, Drain())) for _ in range(4)]

    for slot in slots:
        slot.start()
    for slot in slots:
        slot.join()

    assert len(stub.asked) == 1


def test_a_torn_file_is_fetched_again(stub: Stub, datasets: Datasets) -> None:
    stub.answering = sent
    path = datasets.fetch(OURS, Drain())["ours"]
    path.write_text(CONTENT[:-1])

    datasets.fetch(OURS, Drain())

    assert path.read_text() == CONTENT
    assert len(stub.asked) == 2


def test_what_the_service_refuses_is_said_of_the_data_set(stub: Stub, datasets: Datasets) -> None:
    stub.answers(refused(DatasetNotFound("there is no data set 'ours'")))

    with pytest.raises(DatasetUnavailable, match="the data set ours cannot be fetched: there is no data set 'ours'"):
        datasets.fetch(OURS, Drain())


def test_a_service_that_fails_once_is_asked_again(stub: Stub, datasets: Datasets) -> None:
    stub.answers(refused(InternalError("internal error")), Answer(200, CONTENT))

    path = datasets.fetch(OURS, Hasty())["ours"]

    assert path.read_text() == CONTENT


def test_a_file_that_arrives_damaged_each_time_is_not_asked_for_for_ever(stub: Stub, datasets: Datasets) -> None:
    stub.answering = lambda _: Answer(200, "damaged")

    with pytest.raises(DatasetUnavailable, match=r"the data set ours cannot be fetched: .* arrived damaged, each time"):
        datasets.fetch(OURS, Hasty())

    assert len(stub.asked) == 9


def test_a_file_that_arrives_damaged_for_a_while_is_there_in_the_end(stub: Stub, datasets: Datasets) -> None:
    stub.answers(*[Answer(200, "damaged")] * 4, Answer(200, CONTENT))

    assert datasets.fetch(OURS, Hasty())["ours"].read_text() == CONTENT


def test_a_folder_that_cannot_be_written_is_said_of_the_machine(stub: Stub, client: Client, tmp_path: Path) -> None:
    stub.answering = sent
    (tmp_path / "file").touch()

    with pytest.raises(DatasetNotKept, match=r"the data set ours cannot be kept on this machine: .*Not a directory"):
        Datasets(client, tmp_path / "file" / "datasets").fetch(OURS, Drain())


def test_a_token_that_is_not_valid_is_no_fault_of_the_data_set(stub: Stub, datasets: Datasets) -> None:
    stub.answers(refused(Unauthorized("the token is not valid")))

    with pytest.raises(Unauthorized):
        datasets.fetch(OURS, Drain())


def test_a_worker_that_drains_gives_up_on_a_service_that_is_away(folder: Path) -> None:
    drain = Drain()
    drain.begin()

    with Client("http://127.0.0.1:9", "token") as client, pytest.raises(Unreachable):
        Datasets(client, folder).fetch(OURS, drain)


def kept(folder: Path, name: str, *, size: int, used_at: float) -> Path:
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (used_at, used_at))
    return path


def test_those_that_were_not_used_for_longest_are_deleted_beyond_the_limit(
    stub: Stub, client: Client, folder: Path
) -> None:
    stub.answering = sent
    folder.mkdir()
    oldest = kept(folder, "a.npz", size=30, used_at=HOURS_AGO - 2)
    torn = kept(folder, "b.npz.half-fetched", size=30, used_at=HOURS_AGO - 1)
    older = kept(folder, "c.npz", size=30, used_at=HOURS_AGO)
    recent = kept(folder, "d.npz", size=30, used_at=time.time() - 60)

    ours = Datasets(client, folder, most_bytes=80).fetch(OURS, Drain())["ours"]

    assert [path.exists() for path in (oldest, torn, older, recent, ours)] == [False, False, True, True, True]


def test_a_file_that_another_worker_deletes_as_it_is_found_is_fetched_again(
    stub: Stub, datasets: Datasets, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.answering = sent
    path = datasets.fetch(OURS, Drain())["ours"]
    touch = os.utime

    def deleted_just_before(*args: Any, **times: Any) -> None:
        path.unlink(missing_ok=True)
        monkeypatch.setattr(os, "utime", touch)
        touch(*args, **times)

    monkeypatch.setattr(os, "utime", deleted_just_before)

    datasets.fetch(OURS, Drain())

    assert path.read_text() == CONTENT


def test_a_file_that_comes_into_use_while_others_are_deleted_stays(
    stub: Stub, client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.answering = sent
    folder.mkdir()
    oldest = kept(folder, "a.npz", size=30, used_at=HOURS_AGO - 1)
    older = kept(folder, "b.npz", size=30, used_at=HOURS_AGO)
    delete = Path.unlink

    def used_meanwhile(path: Path, missing_ok: bool = False) -> None:
        if path == oldest:
            os.utime(older)
        delete(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", used_meanwhile)

    Datasets(client, folder, most_bytes=1).fetch(OURS, Drain())

    assert (oldest.exists(), older.exists()) == (False, True)


def test_what_may_be_in_use_stays_whatever_the_limit(stub: Stub, client: Client, folder: Path) -> None:
    stub.answering = sent
    folder.mkdir()
    recent = kept(folder, "a.npz", size=30, used_at=time.time() - 60)

    ours = Datasets(client, folder, most_bytes=1).fetch(OURS, Drain())["ours"]

    assert recent.exists()
    assert ours.exists()


def test_built_in_data_is_not_fetched(stub: Stub, datasets: Datasets, folder: Path) -> None:
    assert datasets.fetch(DataSpec(), Drain()) == {}
    assert not stub.asked
    assert not folder.exists()
