"""Final models: the file goes up under the lease of the trial that made it, before that tells that it is complete."""

from typing import IO

from service import artifacts, files
from service.calls import after_outage, crowd, look, not_live
from service.database import autocommit
from service.files import OF_CHECKPOINTS, Limit, Upload
from service.once import UNKEYED, Once
from service.replica import Replica
from service.storage import models as stored
from service.storage.leases import Reference
from service.storage.models import StoredModel
from trimtab.errors import Conflict, ModelNotFound
from trimtab.finals import ModelFile

_FOLDER = "models"


def limit(replica: Replica) -> Limit:
    """Return how large such a file may be."""
    return Limit("the model", replica.max_checkpoint_bytes, OF_CHECKPOINTS)


@after_outage
def begin(replica: Replica, lease: Reference, *, sha256: str, once: Once = UNKEYED) -> Upload | ModelFile:
    """Return where a model goes; or the model, if it is there already, and renew the lease.

    Raises:
        Replayed, IdempotencyMismatch: As service.once.Once.replay.
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden, Unavailable: As for a report.
        Conflict: The study of this lease is not for a final model.
    """
    with autocommit(replica.engine) as connection:
        once.replay(connection)
        row = look(connection, lease)
        if not row.is_live:
            raise not_live(row)
        if not stored.is_wanted(connection, lease.lease_id):
            raise Conflict(f"study {row.study!r} is not for a final model")
        known = stored.of_lease(connection, lease.lease_id)
        if known and known.sha256 == sha256:
            if not stored.take_over(connection, lease, sha256, lease_seconds=replica.lease_seconds):
                raise not_live(look(connection, lease))
            return known.described
    path = f"{_FOLDER}/{artifacts.fresh_name()}-{row.study_id}"
    return Upload(replica.artifacts, path, limit=limit(replica), sha256=sha256)


def keep(replica: Replica, lease: Reference, model: StoredModel, *, once: Once = UNKEYED) -> ModelFile:
    """Record a model whose file is written, and renew the lease; the one before it goes.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden, Unavailable: As for a report.
    """
    with files.recording(replica.artifacts, model.path):
        replaced = _keep(replica, lease, model, once)
    files.delete(replica.artifacts, [replaced] if replaced else [])
    return model.described


@after_outage
def _keep(replica: Replica, lease: Reference, model: StoredModel, once: Once) -> str | None:
    """Record it; return the file that is no longer needed."""
    with crowd(replica, lease), once.transaction(replica.engine) as connection:
        kept = stored.keep(connection, lease, model, lease_seconds=replica.lease_seconds)
        if kept is None:
            raise not_live(look(connection, lease))
        once.keep(connection, model.described)
    return kept[0]


def opened(replica: Replica, model: StoredModel) -> IO[bytes]:
    """Return the file of a model, at its beginning.

    Raises:
        ModelNotFound: It is torn or gone.
        Unavailable: The store is away.
    """
    file = files.whole(replica.artifacts, model.path, sha256=model.sha256)
    if file is None:
        raise ModelNotFound("the file of the model is torn or gone: train the final model again")
    return file
