"""An index by when leases ended, for what workers did lately."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """An index is added only: a replica of the release before serves on beside this schema."""
    op.create_index(
        op.f("ix_trimtab_leases_ended_at"),
        "trimtab_leases",
        ["ended_at"],
        postgresql_where=sa.text("ended_at IS NOT NULL"),
    )
