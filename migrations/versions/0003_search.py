"""Several objectives, constraints, budgets of every kind, spaces that change, rounds, trials that nobody sampled."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_COUNTERS = "finished <= created + added AND created <= budget"
_LIMITED = (
    "state IN ('running', 'paused') AND (epochs IS NOT NULL OR seconds IS NOT NULL OR device_seconds IS NOT NULL)"
)


def upgrade() -> None:
    """Tables and columns are added only: a replica of the release before serves on beside this schema."""
    _change_studies()
    _change_trials()
    _change_leases()
    _create_rounds()


def _change_studies() -> None:
    for column in (
        sa.Column("added", sa.Integer, nullable=False, server_default="0", comment="trials that came already finished"),
        sa.Column("sampled", sa.Integer, nullable=False, server_default="0", comment="trials that a sampler chose"),
        sa.Column("epochs", sa.BigInteger, comment="budget: steps reported"),
        sa.Column("seconds", sa.Double(53), comment="budget: from the first lease on"),
        sa.Column("device_seconds", sa.Double(53), comment="budget: of all leases together"),
        sa.Column("target", sa.Double(53), comment="a value that is good enough"),
        sa.Column("patience", sa.Integer, comment="trials that may end without a better one"),
        sa.Column("epochs_used", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("device_seconds_used", sa.Double(53), nullable=False, server_default="0", comment="of ended leases"),
        sa.Column("first_leased_at", sa.DateTime(timezone=True)),
        sa.Column("closing", sa.Text, comment="why no trial is handed out any more, though some still run"),
        sa.Column("best_order", sa.Integer, comment="finish order of the best trial"),
        sa.Column("space", sa.JSON, comment="as it is now; null: as in the spec"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0", comment="of the space"),
    ):
        op.add_column("trimtab_studies", column)
    op.alter_column(
        "trimtab_studies", "budget", comment="trials; 2147483647: as many as there may ever be", existing_nullable=False
    )
    op.alter_column(
        "trimtab_studies", "created", comment="trials so far, of those that it counts", existing_nullable=False
    )
    op.drop_constraint(op.f("ck_trimtab_studies_counters"), "trimtab_studies")
    op.create_check_constraint(op.f("ck_trimtab_studies_counters"), "trimtab_studies", _COUNTERS)
    op.create_index(
        op.f("ix_trimtab_studies_limited"), "trimtab_studies", ["study_id"], postgresql_where=sa.text(_LIMITED)
    )


def _change_trials() -> None:
    for column in (
        sa.Column("origin", sa.Text, nullable=False, server_default="sampled", comment="who chose its params"),
        sa.Column("sequence", sa.Integer, comment="the n-th that a sampler chose, from 0"),
        sa.Column("curve", sa.JSON, comment="of a trial that came already finished: each step with its metrics"),
        sa.Column("is_feasible", sa.Boolean, comment="whether it keeps the constraints; null: not known"),
    ):
        op.add_column("trimtab_trials", column)
    op.execute("UPDATE trimtab_trials SET sequence = number")
    op.execute("UPDATE trimtab_studies SET sampled = created")
    op.create_check_constraint(
        op.f("ck_trimtab_trials_origin"), "trimtab_trials", "origin IN ('sampled', 'control', 'enqueued', 'added')"
    )


def _change_leases() -> None:
    op.add_column(
        "trimtab_leases",
        sa.Column(
            "is_counted",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="the budget counts its reports as epochs",
        ),
    )
    op.execute("""
        UPDATE trimtab_studies s SET first_leased_at = l.leased_at
        FROM (SELECT study_id, min(leased_at) AS leased_at FROM trimtab_leases GROUP BY study_id) AS l
        WHERE l.study_id = s.study_id
    """)
    op.execute("""
        UPDATE trimtab_studies s SET device_seconds_used = l.seconds
        FROM (SELECT study_id, sum(extract(epoch FROM ended_at - leased_at)) AS seconds FROM trimtab_leases
              WHERE ended_at IS NOT NULL GROUP BY study_id) AS l
        WHERE l.study_id = s.study_id
    """)


def _create_rounds() -> None:
    op.create_table(
        "trimtab_rounds",
        sa.Column("study_id", sa.BigInteger, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("space", sa.JSON, nullable=False),
        sa.Column("alarms", sa.JSON, nullable=False),
        sa.Column("first_number", sa.Integer, nullable=False, comment="of its trials"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("study_id", "round", name=op.f("pk_trimtab_rounds")),
        sa.ForeignKeyConstraint(
            ["study_id"],
            ["trimtab_studies.study_id"],
            name=op.f("fk_trimtab_rounds_study_id"),
            ondelete="CASCADE",
        ),
    )
