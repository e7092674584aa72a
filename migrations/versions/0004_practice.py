"""Data sets, studies that follow studies, final models, and the lock of the test set."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_PURPOSES = "purpose IN ('search', 'prescription', 'check', 'confirmation', 'final')"


def upgrade() -> None:
    """Tables and columns are added only: a replica of the release before serves on beside this schema."""
    _change_studies()
    _create_datasets()
    _create_models()
    _create_test_reads()
    _create_wanted_finals()


def _change_studies() -> None:
    op.add_column(
        "trimtab_studies",
        sa.Column("purpose", sa.Text, nullable=False, server_default="search", comment="what it is for"),
    )
    op.add_column(
        "trimtab_studies",
        sa.Column("parent_id", sa.BigInteger, comment="the study that it follows; null: none, or it was deleted"),
    )
    op.create_check_constraint(op.f("ck_trimtab_studies_purpose"), "trimtab_studies", _PURPOSES)
    op.create_foreign_key(
        op.f("fk_trimtab_studies_parent_id"),
        "trimtab_studies",
        "trimtab_studies",
        ["parent_id"],
        ["study_id"],
        ondelete="SET NULL",
    )
    op.create_index(
        "ix_trimtab_studies_parent_id",
        "trimtab_studies",
        ["parent_id"],
        postgresql_where=sa.text("parent_id IS NOT NULL"),
    )


def _create_datasets() -> None:
    op.create_table(
        "trimtab_datasets",
        sa.Column("dataset_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, comment="the n-th content of that name, from 1"),
        sa.Column("sha256", sa.Text, nullable=False, comment="of the file as workers read it"),
        sa.Column("size", sa.BigInteger, nullable=False, comment="bytes"),
        sa.Column("path", sa.Text, nullable=False, comment="below TRIMTAB_ARTIFACTS"),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("examples", sa.Integer, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False, comment="columns, classes, image, what to look at"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_trimtab_datasets")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_trimtab_datasets_name_version")),
        sa.UniqueConstraint("name", "sha256", name=op.f("uq_trimtab_datasets_name_sha256")),
        sa.CheckConstraint("problem IN ('classification', 'regression')", name=op.f("ck_trimtab_datasets_problem")),
    )


def _create_models() -> None:
    op.create_table(
        "trimtab_models",
        sa.Column("study_id", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False, comment="of the lease that wrote it"),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, comment="bytes"),
        sa.Column("path", sa.Text, nullable=False, comment="below TRIMTAB_ARTIFACTS"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_trimtab_models")),
        sa.ForeignKeyConstraint(
            ["study_id"], ["trimtab_studies.study_id"], name=op.f("fk_trimtab_models_study_id"), ondelete="CASCADE"
        ),
    )


def _create_test_reads() -> None:
    op.create_table(
        "trimtab_test_reads",
        sa.Column("read_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("study_id", sa.BigInteger, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("token_id", sa.BigInteger, comment="who asked for it; null: the operator"),
        sa.Column("final_study", sa.Text, nullable=False, comment="the study that reads it"),
        sa.Column("is_override", sa.Boolean, nullable=False, comment="it had been read before"),
        sa.Column("reason", sa.Text, comment="given with an override"),
        sa.PrimaryKeyConstraint("read_id", name=op.f("pk_trimtab_test_reads")),
        sa.ForeignKeyConstraint(
            ["study_id"], ["trimtab_studies.study_id"], name=op.f("fk_trimtab_test_reads_study_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(
        "uq_trimtab_test_reads_first",
        "trimtab_test_reads",
        ["study_id"],
        unique=True,
        postgresql_where=sa.text("NOT is_override"),
    )


def _create_wanted_finals() -> None:
    op.create_table(
        "trimtab_wanted_finals",
        sa.Column("study_id", sa.BigInteger, nullable=False),
        sa.Column("confirmation_id", sa.BigInteger, comment="that it follows; null: it was deleted, and none follows"),
        sa.Column("token_id", sa.BigInteger, comment="who asked for it; null: the operator"),
        sa.Column("reason", sa.Text, comment="given with an override of the lock; null: it is none"),
        sa.Column("refusal", sa.Text, comment="why none was made; null: it is to come"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_trimtab_wanted_finals")),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["trimtab_studies.study_id"],
            name=op.f("fk_trimtab_wanted_finals_study_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["confirmation_id"],
            ["trimtab_studies.study_id"],
            name=op.f("fk_trimtab_wanted_finals_confirmation_id"),
            ondelete="SET NULL",
        ),
    )
