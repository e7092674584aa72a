"""Takes a file as a new version of a data set: read where it can do no harm, checked, kept, recorded.

The row comes after the file: what is cut off in between is a file that no row names.
"""

import logging
from contextlib import suppress
from pathlib import Path
from typing import IO

from service import artifacts, files
from service.database import autocommit
from service.datasets import reader
from service.datasets.catalogue import require_put
from service.datasets.orders import Format
from service.files import OF_DATASETS, Incoming, Limit, StoredFile
from service.once import OK, UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.scratch import Scratch
from service.storage import audit
from service.storage import datasets as stored
from trimtab.datasets import Dataset, DatasetDescription, TargetKind
from trimtab.errors import Unavailable

CREATED = 201

WAIT_SECONDS = 5.0
"""For other files that are being read."""

_log = logging.getLogger(__name__)


class Intake:
    """A file on its way in, in a folder of its own that goes when it is closed.

    Args:
        limit: How large it may be.
    """

    def __init__(self, limit: Limit) -> None:
        self._scratch = Scratch()
        self._file: IO[bytes] = self.path.open("wb")
        self._incoming = Incoming(self._file, limit)

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._scratch.folder / "put"

    @property
    def output(self) -> Path:
        """Where the data set goes that is read from it."""
        return self._scratch.folder / "kept"

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what came so far."""
        return self._incoming.digest

    def take(self, chunk: bytes) -> None:
        """Write what comes next.

        Raises:
            BodyTooLarge, Unavailable: As service.files.Incoming.
        """
        self._incoming.take(chunk)

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
        self._scratch.close()


def limit(replica: Replica) -> Limit:
    """Return how large such a file may be."""
    return Limit("the file of a data set", replica.max_dataset_bytes, OF_DATASETS)


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
    with source.open("rb") as content, replica.artifacts.create(path) as file:
        kept = Incoming(file)
        for chunk in files.content(content):
            kept.take(chunk)
        with artifacts.translated():
            artifacts.keep(file)
    return StoredFile(kept.digest.hex(), kept.size, path)


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
