"""The file that a training goes on from."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
import torch

from workers.training import checkpoints
from workers.training.checkpoints import Written
from workers.training.errors import CheckpointForeign, CheckpointTorn
from workers.training.steps import State

STATE: State = {"step": 3, "network": {"weight": torch.arange(1000.0)}, "name": "adam", "pair": (0.9, 0.999)}


class Stranger:
    """What a pickle could bring with it, and weights-only loading does not."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint"


@pytest.fixture
def written(path: Path) -> Written:
    return checkpoints.write(STATE, path, belongs_to="this")


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_written_is_read_and_its_hash_and_size_are_those_of_the_file(path: Path, written: Written) -> None:
    state = checkpoints.read(path, sha256=written.sha256, belongs_to="this")

    assert torch.equal(state["network"].pop("weight"), STATE["network"]["weight"])
    assert state == {"step": 3, "network": {}, "name": "adam", "pair": (0.9, 0.999)}
    assert written == Written(sha256(path.read_bytes()).hexdigest(), path.stat().st_size)


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_a_file_of_which_one_bit_differs_is_torn(place: int, path: Path, written: Written) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)

    with pytest.raises(CheckpointTorn, match="not what was written"):
        checkpoints.read(path, sha256=written.sha256, belongs_to="this")


@pytest.mark.parametrize("size", [0, 1, 2000])
def test_a_file_that_was_cut_short_is_torn(size: int, path: Path, written: Written) -> None:
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(CheckpointTorn, match="not what was written"):
        checkpoints.read(path, sha256=written.sha256, belongs_to="this")


def test_a_file_that_is_not_there_is_torn(path: Path) -> None:
    with pytest.raises(CheckpointTorn, match="No such file"):
        checkpoints.read(path, sha256="0" * 64, belongs_to="this")


def test_the_checkpoint_of_another_training_is_foreign(path: Path, written: Written) -> None:
    with pytest.raises(CheckpointForeign, match="of another training"):
        checkpoints.read(path, sha256=written.sha256, belongs_to="that")


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"\x80\x04N."])
def test_a_whole_file_that_is_no_checkpoint_is_foreign(content: bytes, path: Path) -> None:
    path.write_bytes(content)

    with pytest.raises(CheckpointForeign, match="is no checkpoint"):
        checkpoints.read(path, sha256=sha256(content).hexdigest(), belongs_to="this")


@pytest.mark.parametrize("content", [[1, 2], {"belongs_to": "this"}, {"belongs_to": "this", "state": Stranger()}])
def test_what_a_training_does_not_write_is_foreign(content: object, path: Path) -> None:
    torch.save(content, path)

    with pytest.raises(CheckpointForeign, match="is no checkpoint"):
        checkpoints.read(path, sha256=sha256(path.read_bytes()).hexdigest(), belongs_to="this")


@pytest.mark.parametrize("size", [0, 2000])
def test_a_write_that_fails_leaves_the_file_before_and_nothing_else(size: int, path: Path, written: Written) -> None:
    with no_file_longer_than(size), pytest.raises(OSError, match="File too large"):
        checkpoints.write({"network": torch.arange(100_000.0)}, path, belongs_to="this")

    assert checkpoints.read(path, sha256=written.sha256, belongs_to="this")["step"] == 3
    assert list(path.parent.iterdir()) == [path]


def test_where_there_is_no_folder_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        checkpoints.write(STATE, tmp_path / "nowhere" / "checkpoint", belongs_to="this")
