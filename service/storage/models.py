"""Final models in the database: which file is a study's. The row says what counts."""

from dataclasses import dataclass

import sqlalchemy as sa

from service.storage.leases import LIVE, RENEWED, Reference
from trimtab.finals import ModelFile
from trimtab.states import Purpose


@dataclass(frozen=True)
class StoredModel:
    """A model and where its file is."""

    sha256: str
    size: int
    path: str

    @property
    def described(self) -> ModelFile:
        """The same as it goes over the wire."""
        return ModelFile(sha256=self.sha256, size=self.size)


_COLUMNS = "sha256, size, path"

_OF_LEASE = sa.text(f"""
    SELECT {_COLUMNS} FROM trimtab_models
    WHERE study_id = (SELECT study_id FROM trimtab_leases WHERE lease_id = :lease_id)
""")

_OF_STUDY = sa.text(f"SELECT {_COLUMNS} FROM trimtab_models WHERE study_id = :study_id")

_PURPOSE = sa.text("""
    SELECT purpose FROM trimtab_studies
    WHERE study_id = (SELECT study_id FROM trimtab_leases WHERE lease_id = :lease_id)
""")

# In the order of locks: the row of a model refers to its study.
_LOCK_STUDY = sa.text("""
    SELECT study_id FROM trimtab_studies
    WHERE study_id = (SELECT study_id FROM trimtab_leases WHERE lease_id = :lease_id) FOR KEY SHARE
""")

# Training is deterministic: the next attempt may come to the same file. It is that attempt's from now on.
_TAKE_OVER = sa.text(f"""
    WITH lease AS (
      UPDATE trimtab_leases SET {RENEWED} WHERE {LIVE} RETURNING study_id, fence
    )
    UPDATE trimtab_models m SET fence = lease.fence FROM lease
    WHERE m.study_id = lease.study_id AND sha256 = :sha256
""")

_IS_SENT = sa.text("""
    SELECT EXISTS (
      SELECT FROM trimtab_models m JOIN trimtab_leases l USING (study_id)
      WHERE lease_id = :lease_id AND m.fence = :fence)
""")

_KEEP = sa.text(f"""
    WITH lease AS (
      UPDATE trimtab_leases SET {RENEWED} WHERE {LIVE} RETURNING study_id, fence
    ), before AS (
      SELECT path FROM trimtab_models JOIN lease USING (study_id)
    )
    INSERT INTO trimtab_models (study_id, fence, {_COLUMNS})
    SELECT study_id, lease.fence, :sha256, CAST(:size AS bigint), :path
    FROM lease JOIN trimtab_studies USING (study_id) WHERE purpose = '{Purpose.FINAL}'
    ON CONFLICT (study_id) DO UPDATE
    SET fence = excluded.fence, sha256 = excluded.sha256, size = excluded.size, path = excluded.path
    RETURNING (SELECT path FROM before) AS replaced
""")


def of_lease(connection: sa.Connection, lease_id: int) -> StoredModel | None:
    """Return the model of the study that this lease is of; None if it has none."""
    row = connection.execute(_OF_LEASE, {"lease_id": lease_id}).one_or_none()
    return StoredModel(*row) if row else None


def of_study(connection: sa.Connection, study_id: int) -> StoredModel | None:
    """Return the model of a study; None if it has none."""
    row = connection.execute(_OF_STUDY, {"study_id": study_id}).one_or_none()
    return StoredModel(*row) if row else None


def is_wanted(connection: sa.Connection, lease_id: int) -> bool:
    """Return whether the study that this lease is of is for a final model."""
    return connection.execute(_PURPOSE, {"lease_id": lease_id}).scalar_one_or_none() == Purpose.FINAL


def is_sent(connection: sa.Connection, lease: Reference) -> bool:
    """Return whether a model was sent under this very lease."""
    return bool(connection.execute(_IS_SENT, {"lease_id": lease.lease_id, "fence": lease.fence}).scalar_one())


def take_over(connection: sa.Connection, lease: Reference, sha256: str, *, lease_seconds: float) -> bool:
    """Let the model that is there be this lease's, and renew that.

    Returns:
        False if the lease is not live, or the model is another by now.
    """
    values = {**vars(lease), "sha256": sha256, "lease_seconds": lease_seconds}
    return connection.execute(_TAKE_OVER, values).rowcount == 1


def keep(
    connection: sa.Connection, lease: Reference, model: StoredModel, *, lease_seconds: float
) -> tuple[str | None] | None:
    """Record a model whose file is written, and renew the lease.

    Returns:
        The file that is no longer needed, if there was one; None, with nothing written, if the lease is not live, or
        its study is not for a final model.
    """
    connection.execute(_LOCK_STUDY, {"lease_id": lease.lease_id})
    values = {**vars(lease), **vars(model), "lease_seconds": lease_seconds}
    row = connection.execute(_KEEP, values).one_or_none()
    return (row.replaced,) if row else None
