"""The state of a training as a file: written whole or not at all, read only where nothing is missing."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import torch

from workers.training.errors import CheckpointForeign, CheckpointTorn
from workers.training.steps import State


@dataclass(frozen=True)
class Written:
    """A file as it was written.

    Args:
        sha256: In hexadecimal.
        size: In bytes.
    """

    sha256: str
    size: int


def write(state: State, path: Path, *, belongs_to: str) -> Written:
    """Write a checkpoint. At `path` there is always a whole file or none, even if the machine fails.

    Args:
        state: Of the training.
        path: Where to.
        belongs_to: Names what was trained.

    Raises:
        OSError: There is no room, or no such folder.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            hashed = _Hashed(file)
            _save({"belongs_to": belongs_to, "state": state}, hashed)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    _sync_folder(path.parent)
    return Written(hashed.digest.hexdigest(), hashed.size)


def read(path: Path, *, sha256: str, belongs_to: str) -> State:
    """Return the state that a checkpoint holds, its tensors on the CPU.

    Raises:
        CheckpointTorn: The file has not this hash, or is not there.
        CheckpointForeign: It is no checkpoint of ours, or belongs to something else.
    """
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise CheckpointTorn("the checkpoint is not what was written")
            file.seek(0)
            content = _load(file)
    except OSError as error:
        raise CheckpointTorn(f"the checkpoint cannot be read: {error.strerror}") from error
    if content.get("belongs_to") != belongs_to:
        raise CheckpointForeign("the checkpoint is of another training")
    state: State = content["state"]
    return state


@dataclass
class _Hashed:
    """A file that is hashed while it is written."""

    file: BinaryIO
    digest: Any = field(default_factory=hashlib.sha256)  # hashlib has no name for its type
    size: int = 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()


def _save(content: dict[str, Any], file: _Hashed) -> None:
    try:
        torch.save(content, file)  # type: ignore[arg-type]  # torch needs these two methods
    except RuntimeError as error:
        # torch raises its own error where the file has raised one.
        raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def _load(file: BinaryIO) -> dict[str, Any]:
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch has no error of its own for what it cannot read
        raise CheckpointForeign(f"the file is no checkpoint: {str(error).partition(chr(10))[0]}") from error
    if not isinstance(content, dict) or not isinstance(content.get("state"), dict):
        raise CheckpointForeign("the file is no checkpoint of a training")
    return content


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
