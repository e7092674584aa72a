"""Studies that are linked by prescriptions, in the database: what they have read together."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from trimtab.data import DataSpec


@dataclass(frozen=True)
class FamilyRead:
    """The reading of a test set by a study, or by one that it is linked to.

    Args:
        study: Whose final model read it.
        is_override: It had been read before.
        reason: Why it was read again.
        data: That the study is of.
    """

    study_id: int
    study: str
    at: datetime
    final_study: str
    is_override: bool
    reason: str | None
    data: DataSpec


# The first of those that lead here, which may have been deleted.
_FAMILY = "(SELECT coalesce(family_id, study_id) FROM trimtab_studies WHERE study_id = :study_id)"

_LOCK = sa.text(f"SELECT pg_advisory_xact_lock(hashtextextended('trimtab_test_reads', {_FAMILY}))")

_READS = sa.text(f"""
    SELECT study_id, study_name AS study, at, final_study, is_override, r.reason,
      CAST(spec -> 'task' -> 'data' AS text) AS data
    FROM trimtab_test_reads r JOIN trimtab_studies s USING (study_id) JOIN studies USING (study_id)
    WHERE s.study_id = {_FAMILY} OR s.family_id = {_FAMILY}
    ORDER BY study_id <> :study_id, read_id
""")


def lock(connection: sa.Connection, study_id: int) -> None:
    """Let nobody else look at the readings of these studies until this transaction ends.

    It is no lock of rows, and comes last: whoever holds it waits for nobody who waits for it.
    """
    connection.execute(_LOCK, {"study_id": study_id})


def reads(connection: sa.Connection, study_id: int) -> list[FamilyRead]:
    """Return each reading of a study, the first one first, then those of the studies that it is linked to."""
    rows = (row._asdict() for row in connection.execute(_READS, {"study_id": study_id}))
    return [FamilyRead(**row | {"data": DataSpec.model_validate_json(row["data"], extra="ignore")}) for row in rows]
