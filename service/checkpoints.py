"""Checkpoints: a training's state goes up while it runs, and down to the next attempt."""

import logging
from collections.abc import Sequence
from typing import IO

from service import artifacts, files
from service.calls import after_outage, crowd, look, not_live
from service.database import autocommit, transaction
from service.files import OF_CHECKPOINTS, Limit, Upload
from service.once import UNKEYED, Once
from service.replica import Replica
from service.storage import checkpoints as stored
from service.storage import leases
from service.storage.checkpoints import StoredCheckpoint
from service.storage.leases import LeaseRow, Reference
from trimtab.errors import CheckpointNotFound, StepConflict
from trimtab.protocol import Checkpoint

_FOLDER = "checkpoints"

_log = logging.getLogger(__name__)


def limit(replica: Replica) -> Limit:
    """Return how large such a file may be."""
    return Limit("the checkpoint", replica.max_checkpoint_bytes, OF_CHECKPOINTS)


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
    return Upload(replica.artifacts, path, limit=limit(replica), sha256=sha256)


def keep(replica: Replica, lease: Reference, checkpoint: StoredCheckpoint, *, once: Once = UNKEYED) -> Checkpoint:
    """Record a checkpoint whose file is written, and renew the lease; the oldest of the trial goes.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden, Unavailable: As for a report.
    """
    with files.recording(replica.artifacts, checkpoint.path):
        needless = _keep(replica, lease, checkpoint, once)
    files.delete(replica.artifacts, needless)
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
        if file := files.whole(replica.artifacts, found.path, sha256=found.sha256):
            return found.described, file
        said = {"step": found.step, "trial": row.number, "study": row.study}
        _log.warning("the checkpoint of step %(step)s of trial %(trial)s of %(study)s is torn", said)
        with transaction(replica.engine) as connection:
            stored.drop(connection, lease, found)
        replica.memory.forget(lease.lease_id)
        files.delete(replica.artifacts, [found.path])


def _require_reported(row: LeaseRow, step: int) -> None:
    if not row.is_live:
        raise not_live(row)
    if not row.start_step < step <= row.last_step:
        raise StepConflict(f"a checkpoint belongs to a step of this lease that was reported: not {step}")
