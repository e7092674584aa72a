"""Which studies prescriptions link, also after one of them is deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Where one was deleted before, what followed it is the first: which studies it linked is not known any more.
_LINK = """
    WITH RECURSIVE family AS (
      SELECT study_id, study_id AS family_id FROM trimtab_studies WHERE parent_id IS NULL
      UNION ALL
      SELECT c.study_id, f.family_id FROM trimtab_studies c JOIN family f ON c.parent_id = f.study_id
    )
    UPDATE trimtab_studies s SET family_id = f.family_id FROM family f
    WHERE f.study_id = s.study_id AND s.parent_id IS NOT NULL
"""


def upgrade() -> None:
    """A column is added only: a replica of the release before serves on beside this schema."""
    op.add_column(
        "trimtab_studies",
        sa.Column(
            "family_id", sa.BigInteger, comment="the first of those that lead to it, also if deleted; null: itself"
        ),
    )
    op.execute(_LINK)
    op.create_index(
        op.f("ix_trimtab_studies_family_id"),
        "trimtab_studies",
        ["family_id"],
        postgresql_where=sa.text("family_id IS NOT NULL"),
    )
