"""Tags and priorities of studies, what a training wrote, the tasks of a worker and the memory of its device."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Tables and columns are added only: a replica of the release before serves on beside this schema."""
    op.add_column(
        "trimtab_studies",
        sa.Column(
            "tags", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"), comment="to find it again by"
        ),
    )
    op.add_column(
        "trimtab_studies",
        sa.Column("priority", sa.Integer, nullable=False, server_default="0", comment="higher ones are served first"),
    )
    op.create_index(op.f("ix_trimtab_studies_tags"), "trimtab_studies", ["tags"], postgresql_using="gin")
    op.create_index(op.f("ix_trimtab_studies_state"), "trimtab_studies", ["state", "study_id"])
    op.create_table(
        "trimtab_logs",
        sa.Column("lease_id", sa.BigInteger, nullable=False),
        sa.Column("line", sa.Integer, autoincrement=False, nullable=False, comment="its number, from 0"),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("lease_id", "line", name=op.f("pk_trimtab_logs")),
        sa.ForeignKeyConstraint(
            ["lease_id"], ["trimtab_leases.lease_id"], name=op.f("fk_trimtab_logs_lease_id"), ondelete="CASCADE"
        ),
    )
    op.add_column(
        "trimtab_workers",
        sa.Column("tasks", sa.ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"), comment="it can train"),
    )
    for column in ("device_memory_used", "device_memory_total"):
        op.add_column("trimtab_workers", sa.Column(column, sa.BigInteger, comment="bytes; null: not known"))
    op.create_check_constraint(
        op.f("ck_trimtab_workers_device_memory"),
        "trimtab_workers",
        "(device_memory_used IS NULL) = (device_memory_total IS NULL)",
    )
