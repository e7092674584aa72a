"""Files of data sets on their way to workers."""

import hashlib
from pathlib import Path

import pytest

from service import artifacts
from service.database import transaction
from service.replica import Replica
from service.storage import datasets as stored
from tests.service.served import Served
from trimtab.client import Client
from trimtab.data import Problem
from trimtab.datasets import DatasetDescription
from trimtab.errors import DatasetBuiltIn, DatasetNotFound, Forbidden, Unreachable

CONTENT = b"the file as workers read it"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def kept(replica: Replica, name: str, content: bytes = CONTENT, sha256: str = SHA256) -> None:
    """Keep a file as the newest version of a data set."""
    path = f"datasets/{artifacts.fresh_name()}"
    file = replica.artifacts.create(path)
    file.write(content)
    artifacts.keep(file)
    description = DatasetDescription(problem=Problem.REGRESSION, examples=3)
    with transaction(replica.engine) as connection:
        stored.put(connection, name, description, sha256=sha256, size=len(content), path=path)


def test_a_file_is_fetched_by_its_hash(client: Client, replica: Replica, tmp_path: Path) -> None:
    kept(replica, "ours")
    kept(replica, "ours", b"newer", hashlib.sha256(b"newer").hexdigest())

    client.fetch_dataset("ours", SHA256, tmp_path / "got")

    assert (tmp_path / "got").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["got"]


def test_a_file_that_is_not_what_was_put_is_no_file(client: Client, replica: Replica, tmp_path: Path) -> None:
    kept(replica, "ours", b"damaged on the disk", SHA256)

    with pytest.raises(Unreachable, match="damaged"):
        client.fetch_dataset("ours", SHA256, tmp_path / "got")

    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


@pytest.mark.parametrize(("name", "refusal"), [("digits", DatasetBuiltIn), ("theirs", DatasetNotFound)])
def test_what_has_no_file_is_not_fetched(client: Client, tmp_path: Path, name: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        client.fetch_dataset(name, SHA256, tmp_path / "got")


def test_a_worker_fetches_what_its_leases_are_trained_on_and_nothing_else(served: Served, tmp_path: Path) -> None:
    kept(served.replica, "ours")
    token = served.client.make_token("worker", "w").token
    worker = Client("http://testserver", token, transport=served.http._transport)

    with pytest.raises(Forbidden, match="leases"):
        worker.fetch_dataset("ours", SHA256, tmp_path / "got")
