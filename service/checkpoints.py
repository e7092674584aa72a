"""Checkpoints: a training's state goes up while it runs, and down to the next attempt."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import IO

from service import artifacts
from service.artifacts import Artifacts
from service.calls import Away, after_outage, crowd, look, not_live
from service.database import Held, autocommit, transaction
from service.once import UNKEYED, Once, Replayed
from service.replica import Replica
from service.storage import checkpoints as stored
from service.storage import leases
from service.storage.checkpoints import StoredCheckpoint
from service.storage.leases import LeaseRow, Reference
from trimtab.errors import BodyTooLarge, CheckpointNotFound, Invalid, Refused, StepConflict, Unavailable
from trimtab.protocol import Checkpoint, FieldProblem

CHUNK_BYTES = 2**20

_FOLDER = "checkpoints"

_log = logging.getLogger(__name__)


class Upload:
    """A checkpoint on its way into the store.

    Args:
        store: Where to.
        path: There.
        step: After which it was written.
        sha256: That it has to have.
        max_bytes: That it may have.
    """

    def __init__(self, store: Artifacts, path: str, *, step: int, sha256: str, max_bytes: int) -> None:
        self._store = store
        self._path = path
        self._step = step
        self._sha256 = sha256
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self._size = 0
        self._file = store.create(path)

    def take(self, chunk: bytes) -> None:
        """Write what comes next.

        Raises:
            BodyTooLarge: That is more than it may be.
            Unavailable: The store is away or full.
        """
        self._size += len(chunk)
        if self._size > self._max_bytes:
            raise too_large(self._max_bytes)
        self._hash.update(chunk)
        with artifacts.translated():
            self._file.write(chunk)

    def finish(self) -> StoredCheckpoint:
        """Close the file.

        Raises:
            Invalid: It is not the one that was announced.
            Unavailable: The store is away or full.
        """
        if not self._size or self._hash.hexdigest() != self._sha256:
            problem = FieldProblem(field="sha256", message=f"is not that of the body of {self._size} bytes")
            raise Invalid("the checkpoint is not the one that was announced", errors=[problem])
        with artifacts.translated():
            artifacts.keep(self._file)
        return StoredCheckpoint(self._step, self._sha256, self._size, self._path)

    def discard(self) -> None:
        """Delete what was written."""
        with suppress(OSError):
            self._file.close()
        delete(self._store, [self._path])


def too_large(max_bytes: int) -> BodyTooLarge:
    """Return the refusal of a checkpoint over the limit."""
    return BodyTooLarge(f"a checkpoint may have {max_bytes} bytes (TRIMTAB_MAX_CHECKPOINT_BYTES)")


@after_outage
def begin(replica: Replica, lease: Reference, *, step: int, sha256: str, once: Once = UNKEYED) -> Upload | Checkpoint:
    """Return where a checkpoint goes; or the checkpoint, if it is there already, and renew the lease.

    Raises:
        Replayed, IdempotencyMismatch: As service.once.Once.replay.
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden, Unavailable: As for a report.
        StepConflict: The lease has not reported this step.
    """
    with autocommit(replica.engine) as connection:
        once.replay(connection)
        row = look(connection, lease)
        _require_reported(row, step)
        known = stored.at(connection, lease.lease_id, step)
        if known and known.sha256 == sha256:
            if leases.renew(connection, lease, lease_seconds=replica.lease_seconds) is None:
                raise not_live(look(connection, lease))
            return known.described
    # In one folder: a store may keep folders of which all files are gone.
    path = f"{_FOLDER}/{artifacts.fresh_name()}-{row.study_id}-{row.number}-{step}"
    return Upload(replica.artifacts, path, step=step, sha256=sha256, max_bytes=replica.max_checkpoint_bytes)


def keep(replica: Replica, lease: Reference, checkpoint: StoredCheckpoint, *, once: Once = UNKEYED) -> Checkpoint:
    """Record a checkpoint whose file is written, and renew the lease; the oldest of the trial goes.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden, Unavailable: As for a report.
    """
    try:
        needless = _keep(replica, lease, checkpoint, once)
    except (Refused, Replayed) as error:
        # Otherwise a commit may have been under way: whether a row names the file is then unknown.
        if isinstance(error, Held | Away) or not isinstance(error, Unavailable):
            delete(replica.artifacts, [checkpoint.path])
        raise
    delete(replica.artifacts, needless)
    return checkpoint.described


@after_outage
def _keep(replica: Replica, lease: Reference, checkpoint: StoredCheckpoint, once: Once) -> Sequence[str]:
    """Record it; return the files that are no longer needed."""
    with crowd(replica, lease), once.transaction(replica.engine) as connection:
        needless = stored.keep(connection, lease, checkpoint, lease_seconds=replica.lease_seconds)
        if needless is None:
            row = look(connection, lease)
            _require_reported(row, checkpoint.step)
            raise not_live(row)
        once.keep(connection, checkpoint.described)
    return needless


@after_outage
def newest(replica: Replica, lease: Reference) -> tuple[Checkpoint, IO[bytes]]:
    """Return the newest checkpoint of the lease's trial that is whole, and its file; those that are not are forgotten.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden, Unavailable: As for a report.
        CheckpointNotFound: There is none.
    """
    while True:
        with autocommit(replica.engine) as connection:
            row = look(connection, lease)
            found = stored.newest(connection, lease.lease_id)
        if not row.is_live:
            raise not_live(row)
        if found is None:
            raise CheckpointNotFound(f"trial {row.number} of {row.study!r} has no checkpoint")
        if file := _whole(replica.artifacts, found):
            return found.described, file
        _log.warning("the checkpoint of step %s of trial %s of %s is torn", found.step, row.number, row.study)
        with transaction(replica.engine) as connection:
            stored.drop(connection, lease, found)
        replica.memory.forget(lease.lease_id)
        delete(replica.artifacts, [found.path])


def delete(store: Artifacts, paths: Iterable[str]) -> None:
    """Delete files that no row names; those that cannot be deleted now are litter."""
    try:
        store.delete_all(paths)
    except Unavailable as error:
        _log.warning("files are left for later: %s", error)


def content(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what is in a file, and close it."""
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _require_reported(row: LeaseRow, step: int) -> None:
    if not row.is_live:
        raise not_live(row)
    if not row.start_step < step <= row.last_step:
        raise StepConflict(f"a checkpoint belongs to a step of this lease that was reported: not {step}")


def _whole(store: Artifacts, checkpoint: StoredCheckpoint) -> IO[bytes] | None:
    """Return the file of a checkpoint, at its beginning; None: it is not there, or not what was written.

    Raises:
        Unavailable: The store is away.
    """
    try:
        file = store.open(checkpoint.path)
    except FileNotFoundError:
        return None
    if _hash_of(file) == checkpoint.sha256:
        file.seek(0)
        return file
    file.close()
    return None


def _hash_of(file: IO[bytes]) -> str | None:
    """Return the SHA-256 of what is in a file; None: its disk cannot read it any more."""
    found = hashlib.sha256()
    try:
        with artifacts.translated():
            while chunk := file.read(CHUNK_BYTES):
                found.update(chunk)
    except Unavailable as error:
        if artifacts.is_damage(error, file):
            return None
        raise
    return found.hexdigest()
