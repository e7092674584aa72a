"""Takes a file as a new version of a data set: read where it can do no harm, checked, kept, recorded.

The row comes after the file: what is cut off in between is a file that no row names.
"""

import hashlib
import logging
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from service import artifacts, files
from service.database import autocommit
from service.datasets import reader
from service.datasets.catalogue import require_put
from service.datasets.orders import Format
from service.files import CHUNK_BYTES, StoredFile
from service.once import OK, UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.storage import audit
from service.storage import datasets as stored
from trimtab.datasets import Dataset, DatasetDescription, TargetKind
from trimtab.errors import BodyTooLarge, Unavailable

CREATED = 201

WAIT_SECONDS = 5.0
"""For other files that are being read."""

_log = logging.getLogger(__name__)


class Intake:
    """A file on its way in, in a folder of its own that goes when it is closed.

    Args:
        max_bytes: That it may have.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._folder = TemporaryDirectory(prefix="trimtab-")
        self._hash = hashlib.sha256()
        self._size = 0
        self._file: IO[bytes] = self.path.open("wb")

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self._folder.name) / "put"

    @property
    def output(self) -> Path:
        """Where the data set goes that is read from it."""
        return Path(self._folder.name) / "kept"

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what came so far."""
        return self._hash.digest()

    def take(self, chunk: bytes) -> None:
        """Write what comes next.

        Raises:
            BodyTooLarge: That is more than it may be.
            Unavailable: The disk is full.
        """
        self._size += len(chunk)
        check_size(self._size, self._max_bytes)
        self._hash.update(chunk)
        with artifacts.translated():
            self._file.write(chunk)

    def finish(self) -> None:
        """Close the file.

        Raises:
            Unavailable: The disk is full.
        """
        with artifacts.translated():
            self._file.close()

    def close(self) -> None:
        """Delete it all."""
        with suppress(OSError):
            self._file.close()
        self._folder.cleanup()


def check_size(size: int, max_bytes: int) -> None:
    """Return if a file may be so large.

    Raises:
        BodyTooLarge: It may not.
    """
    if size > max_bytes:
        raise BodyTooLarge(f"the file of a data set may have {max_bytes} bytes (TRIMTAB_MAX_DATASET_BYTES)")


def put(
    replica: Replica,
    name: str,
    intake: Intake,
    *,
    file_format: Format,
    target: str | None,
    kind: TargetKind,
    principal: Principal = OPERATOR,
    once: Once = UNKEYED,
) -> tuple[Dataset, bool]:
    """Take a file as the newest version of a data set; the newest once more is that version.

    Returns:
        The version, and whether it is new.

    Raises:
        Invalid: It holds no data set that can be trained on; the fields say where and why.
        Replayed, IdempotencyMismatch, InProgress: As service.once.Once.
        Unavailable: The database or the store is away, or other files are being read.
    """
    require_put(name)
    with autocommit(replica.engine) as connection:
        once.replay(connection)
    description = _read(replica, intake, file_format, target, kind)
    kept = _stored(replica, intake.output)
    with files.recording(replica.artifacts, kept.path):
        dataset, is_new, needless = _recorded(replica, name, description, kept, principal=principal, once=once)
    files.delete(replica.artifacts, needless)
    if is_new:
        said = {"dataset": name, "version": dataset.version, "examples": dataset.examples}
        _log.info("data set %(dataset)s has version %(version)s: %(examples)s examples", said)
    return dataset, is_new


def _read(
    replica: Replica, intake: Intake, file_format: Format, target: str | None, kind: TargetKind
) -> DatasetDescription:
    if not replica.readers.acquire(timeout=WAIT_SECONDS):
        raise Unavailable("other data sets are being read", retry_after=int(WAIT_SECONDS))
    try:
        return reader.read(intake.path, intake.output, file_format=file_format, target=target, kind=kind)
    finally:
        replica.readers.release()


def _stored(replica: Replica, source: Path) -> StoredFile:
    """Copy a file into the store."""
    path = f"datasets/{artifacts.fresh_name()}"
    found, size = hashlib.sha256(), 0
    with source.open("rb") as content, replica.artifacts.create(path) as file, artifacts.translated():
        while chunk := content.read(CHUNK_BYTES):
            found.update(chunk)
            size += file.write(chunk)
        artifacts.keep(file)
    return StoredFile(found.hexdigest(), size, path)


def _recorded(
    replica: Replica,
    name: str,
    description: DatasetDescription,
    kept: StoredFile,
    *,
    principal: Principal,
    once: Once,
) -> tuple[Dataset, bool, list[str]]:
    """Record a version; return it, whether it is new, and the file whose place its own has taken."""
    with once.transaction(replica.engine) as connection:
        stored.lock(connection)
        newest, known = stored.newest(connection, name), stored.find(connection, name, kept.sha256)
        is_new = newest is None or newest.sha256 != kept.sha256
        dataset = stored.put(connection, name, description, **vars(kept)).described
        if is_new:
            audit.note(connection, principal, "put dataset", name, version=dataset.version, sha256=dataset.sha256)
        once.keep(connection, dataset, status=CREATED if is_new else OK)
    return dataset, is_new, [known.path] if known else []
