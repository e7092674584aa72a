"""Who may do what, answers that are kept, checkpoints, limits, and when the service was last seen alive."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_REFUSE_CHANGES = """
    CREATE FUNCTION trimtab_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'trimtab_audit is append-only';
    END $$;
    CREATE TRIGGER trimtab_audit_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON trimtab_audit
      FOR EACH STATEMENT EXECUTE FUNCTION trimtab_audit_is_append_only();
"""


def upgrade() -> None:
    """Tables and columns are added only: a replica of the release before serves on beside this schema."""
    _create_tokens()
    _create_audit()
    _create_keys()
    _create_liveness()
    _create_checkpoints()
    _change_columns()


def _time(name: str, *, now: bool = False) -> sa.Column[object]:
    if now:
        return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    return sa.Column(name, sa.DateTime(timezone=True))


def _create_tokens() -> None:
    op.create_table(
        "trimtab_tokens",
        sa.Column("token_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False, comment="SHA-256 of the token"),
        _time("created_at", now=True),
        _time("revoked_at"),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_trimtab_tokens")),
        sa.CheckConstraint("kind IN ('admin', 'user', 'worker', 'reader')", name=op.f("ck_trimtab_tokens_kind")),
        sa.UniqueConstraint("digest", name=op.f("uq_trimtab_tokens_digest")),
    )


def _create_audit() -> None:
    op.create_table(
        "trimtab_audit",
        sa.Column("entry_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        _time("at", now=True),
        sa.Column("token_id", sa.BigInteger, comment="who did it; null: the operator's own token or command"),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False, comment="what it was done to"),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_trimtab_audit")),
    )
    op.execute(_REFUSE_CHANGES)


def _create_keys() -> None:
    op.create_table(
        "trimtab_keys",
        sa.Column("principal_id", sa.BigInteger, nullable=False, comment="the token; 0: the operator's own"),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("request", sa.LargeBinary, nullable=False, comment="SHA-256 of what was asked"),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.JSON),
        sa.Column("body", sa.LargeBinary, comment="the answer, byte for byte; null: it is shown once only"),
        _time("created_at", now=True),
        sa.PrimaryKeyConstraint("principal_id", "route", "key", name=op.f("pk_trimtab_keys")),
    )
    op.create_index("ix_trimtab_keys_created_at", "trimtab_keys", ["created_at"])


def _create_liveness() -> None:
    op.create_table(
        "trimtab_liveness",
        sa.Column("is_it", sa.Boolean, nullable=False, server_default=sa.true(), comment="there is one row"),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), nullable=False, comment="a replica and the database, together"
        ),
        sa.PrimaryKeyConstraint("is_it", name=op.f("pk_trimtab_liveness")),
        sa.CheckConstraint("is_it", name=op.f("ck_trimtab_liveness_one")),
    )
    op.execute("INSERT INTO trimtab_liveness (seen_at) VALUES (clock_timestamp())")


def _create_checkpoints() -> None:
    op.create_table(
        "trimtab_checkpoints",
        sa.Column(
            "trial_id",
            sa.BigInteger,
            sa.ForeignKey("trimtab_trials.trial_id", name=op.f("fk_trimtab_checkpoints_trial_id"), ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False, comment="of the lease that wrote it"),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False, comment="bytes"),
        sa.Column("path", sa.Text, nullable=False, comment="below TRIMTAB_ARTIFACTS"),
        _time("created_at", now=True),
        sa.PrimaryKeyConstraint("trial_id", "step", name=op.f("pk_trimtab_checkpoints")),
    )


def _change_columns() -> None:
    op.add_column("trimtab_studies", sa.Column("trial_seconds", sa.Double(53), comment="limit of an attempt"))
    op.add_column("trimtab_studies", sa.Column("step_seconds", sa.Double(53), comment="limit between reports"))
    op.add_column(
        "trimtab_trials", sa.Column("fallback", sa.Text, comment="why the point is a random one, not the sampler's")
    )
    op.add_column("trimtab_leases", sa.Column("token_id", sa.BigInteger, comment="whose it is; null: the operator's"))
    op.add_column(
        "trimtab_leases",
        sa.Column("start_step", sa.Integer, nullable=False, server_default="0", comment="of its checkpoint"),
    )
    op.add_column(
        "trimtab_leases", sa.Column("trial_due_at", sa.DateTime(timezone=True), comment="limit of the attempt")
    )
    op.add_column(
        "trimtab_leases",
        sa.Column("due_at", sa.DateTime(timezone=True), comment="the next limit; past it the service ends the lease"),
    )
    op.alter_column(
        "trimtab_tombstones",
        "lease_id",
        comment="lived on the day its study went",
        existing_comment="lived when its study went",
        existing_type=sa.BigInteger,
        existing_nullable=False,
    )
