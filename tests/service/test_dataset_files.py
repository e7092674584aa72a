"""Files of data sets on their way to workers."""

import hashlib
from pathlib import Path

import pytest

from service import artifacts
from service.database import transaction
from service.litter import forget
from service.replica import Replica
from service.storage import datasets as stored
from trimtab.client import Client
from trimtab.data import Problem
from trimtab.datasets import DatasetDescription
from trimtab.errors import Damaged, DatasetBuiltIn, DatasetNotFound

CONTENT = b"the file as workers read it"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def kept(replica: Replica, name: str, content: bytes = CONTENT, sha256: str = SHA256, *, at: str | None = None) -> None:
    """Keep a file as the newest version of a data set."""
    path = f"datasets/{at or artifacts.fresh_name()}"
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

    with pytest.raises(Damaged, match="damaged"):
        client.fetch_dataset("ours", SHA256, tmp_path / "got")

    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


@pytest.mark.parametrize(("name", "refusal"), [("digits", DatasetBuiltIn), ("theirs", DatasetNotFound)])
def test_what_has_no_file_is_not_fetched(client: Client, tmp_path: Path, name: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        client.fetch_dataset(name, SHA256, tmp_path / "got")


def test_the_file_of_a_data_set_is_no_litter_however_old_it_is(replica: Replica, store: Path) -> None:
    kept(replica, "ours", at="1000000000-old")
    orphan = store / "datasets" / "1000000000-orphan"
    orphan.touch()

    forget(replica)

    assert [path.name for path in (store / "datasets").iterdir()] == ["1000000000-old"]
