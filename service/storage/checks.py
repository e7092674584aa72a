"""Gradient checks in the database: the studies that check another one."""

import sqlalchemy as sa

# By its index on parent_id: a study has few followers.
_OF_STUDY = sa.text("""
    SELECT study_id FROM trimtab_studies
    WHERE parent_id = :parent_id AND purpose = 'check' AND study_id < coalesce(:before, 9223372036854775807)
    ORDER BY study_id DESC LIMIT :limit
""")


def of_study(connection: sa.Connection, parent_id: int, *, before: int | None, limit: int) -> list[int]:
    """Return up to `limit` studies that check a study, the newest first, of those older than `before`."""
    values = {"parent_id": parent_id, "before": before, "limit": limit}
    return list(connection.execute(_OF_STUDY, values).scalars())
