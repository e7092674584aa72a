"""Optuna's tables, hardened, and ours beside them."""

import optuna
import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None

_OPTUNA_TABLES = (
    "studies",
    "study_directions",
    "study_user_attributes",
    "study_system_attributes",
    "trials",
    "trial_user_attributes",
    "trial_system_attributes",
    "trial_params",
    "trial_values",
    "trial_intermediate_values",
    "trial_heartbeats",
)


def upgrade() -> None:
    """Optuna's tables, hardened, and ours beside them."""
    _create_optunas_tables()
    _widen_keys()
    _cascade_deletes()
    op.create_unique_constraint("uq_trials_number", "trials", ["study_id", "number"])
    op.create_index(
        "ix_trials_unfinished",
        "trials",
        ["study_id", "number"],
        postgresql_where=sa.text("state IN ('RUNNING', 'WAITING')"),
    )
    _create_studies()
    _create_trials()
    _create_leases()
    _create_reports()
    _create_workers()
    _create_tombstones()


def _create_optunas_tables() -> None:
    # On a connection of its own, committed at once: a migration that dies after it finds the tables there,
    # which Optuna accepts. Braces in a URL are a template to Optuna.
    url = context.config.attributes["url"].replace("{", "{{").replace("}", "}}")
    storage = optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": sa.pool.NullPool})
    storage.remove_session()


def _widen_keys() -> None:
    for table, column, sequence in op.get_bind().execute(
        sa.text(
            """
            SELECT table_name, column_name, pg_get_serial_sequence(table_name, column_name)
            FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = ANY(:tables)
              AND data_type = 'integer' AND column_name LIKE '%\\_id'
            ORDER BY table_name, column_name
            """
        ),
        {"tables": list(_OPTUNA_TABLES)},
    ):
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint")
        if sequence:
            op.execute(f"ALTER SEQUENCE {sequence} AS bigint")


def _cascade_deletes() -> None:
    for table, name, definition in op.get_bind().execute(
        sa.text(
            """
            SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
            FROM pg_constraint
            WHERE contype = 'f' AND confdeltype = 'a' AND conrelid::regclass::text = ANY(:tables)
            ORDER BY 1, 2
            """
        ),
        {"tables": list(_OPTUNA_TABLES)},
    ):
        dropped = f"ALTER TABLE {table} DROP CONSTRAINT {name}"
        op.execute(f"{dropped}, ADD CONSTRAINT {name} {definition} ON DELETE CASCADE")


def _time(name: str, *, now: bool = False) -> sa.Column[object]:
    if now:
        return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
    return sa.Column(name, sa.DateTime(timezone=True))


def _outcome(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        "outcome IN ('complete', 'pruned', 'diverged', 'out_of_memory', 'timeout', 'error', 'released', 'lost')",
        name=op.f(f"ck_{table}_outcome"),
    )


def _key(column: str, table: str, target: str, *, primary: bool = False) -> sa.Column[object]:
    return sa.Column(
        column,
        sa.BigInteger,
        sa.ForeignKey(f"{target}.{column}", name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"),
        primary_key=primary,
        nullable=False,
    )


def _create_studies() -> None:
    op.create_table(
        "trimtab_studies",
        _key("study_id", "trimtab_studies", "studies", primary=True),
        sa.Column("spec", sa.JSON, nullable=False, comment="resolved, as it was at creation; json keeps its order"),
        sa.Column("task", sa.Text, comment="the name of its task; null: anybody asks and tells"),
        sa.Column("state", sa.Text, nullable=False, server_default="running"),
        sa.Column("reason", sa.Text),
        sa.Column("budget", sa.Integer, nullable=False),
        sa.Column(
            "created",
            sa.Integer,
            nullable=False,
            server_default="0",
            comment="trials so far; the next number",
        ),
        sa.Column("finished", sa.Integer, nullable=False, server_default="0", comment="trials that have ended"),
        sa.Column("failed_in_a_row", sa.Integer, nullable=False, server_default="0"),
        sa.Column("best_trial_id", sa.BigInteger, comment="the best complete trial; the earlier one of equals"),
        sa.Column("best_value", sa.Double(53)),
        _time("created_at", now=True),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("study_id", name=op.f("pk_trimtab_studies")),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'complete', 'stopped')", name=op.f("ck_trimtab_studies_state")
        ),
        sa.CheckConstraint("finished <= created AND created <= budget", name=op.f("ck_trimtab_studies_counters")),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('complete', 'stopped'))",
            name=op.f("ck_trimtab_studies_ended"),
        ),
    )
    op.create_index(
        "ix_trimtab_studies_running",
        "trimtab_studies",
        ["study_id"],
        postgresql_where=sa.text("state = 'running'"),
    )


def _create_trials() -> None:
    op.create_table(
        "trimtab_trials",
        _key("trial_id", "trimtab_trials", "trials", primary=True),
        _key("study_id", "trimtab_trials", "trimtab_studies"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sampled_for", sa.Integer, nullable=False, comment="the number that the sampler expected"),
        sa.Column("fence", sa.Integer, nullable=False, server_default="0", comment="of the newest lease"),
        sa.Column("lost", sa.Integer, nullable=False, server_default="0", comment="leases that ran out"),
        sa.Column("outcome", sa.Text, comment="of the lease that ended the trial"),
        sa.Column("reason", sa.Text, comment="why it was stopped or failed"),
        sa.Column("step", sa.Integer, comment="that the final metrics belong to"),
        sa.Column("metrics", sa.JSON, comment="the final ones"),
        sa.Column("finish_order", sa.Integer, comment="the n-th trial of its study to end, from 1"),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_trimtab_trials")),
        _outcome("trimtab_trials"),
        sa.CheckConstraint("(outcome IS NULL) = (finish_order IS NULL)", name=op.f("ck_trimtab_trials_finished")),
        sa.UniqueConstraint("study_id", "number", name=op.f("uq_trimtab_trials_study_id_number")),
        sa.UniqueConstraint("study_id", "finish_order", name=op.f("uq_trimtab_trials_study_id_finish_order")),
    )


def _create_leases() -> None:
    op.create_table(
        "trimtab_leases",
        sa.Column("lease_id", sa.BigInteger, sa.Identity(always=True), nullable=False),
        _key("study_id", "trimtab_leases", "trimtab_studies"),
        _key("trial_id", "trimtab_leases", "trimtab_trials"),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("device", sa.Text),
        _time("leased_at", now=True),
        _time("renewed_at", now=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_step", sa.Integer, nullable=False, server_default="0"),
        sa.Column("best", sa.Double(53), comment="best value of the objective reported so far"),
        sa.Column("stop_reason", sa.Text, comment="given with the verdict stop"),
        sa.Column("outcome", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("told", sa.JSON, comment="the tell that ended it"),
        _time("ended_at"),
        sa.PrimaryKeyConstraint("lease_id", name=op.f("pk_trimtab_leases")),
        _outcome("trimtab_leases"),
        sa.CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_trimtab_leases_ended")),
        sa.UniqueConstraint("trial_id", "fence", name=op.f("uq_trimtab_leases_trial_id_fence")),
    )
    live = sa.text("ended_at IS NULL")
    op.create_index("uq_trimtab_leases_live", "trimtab_leases", ["trial_id"], unique=True, postgresql_where=live)
    op.create_index("ix_trimtab_leases_study_id", "trimtab_leases", ["study_id"], postgresql_where=live)


def _create_reports() -> None:
    op.create_table(
        "trimtab_reports",
        _key("lease_id", "trimtab_reports", "trimtab_leases"),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("metrics", sa.JSON, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        _time("reported_at", now=True),
        sa.PrimaryKeyConstraint("lease_id", "step", name=op.f("pk_trimtab_reports")),
        sa.CheckConstraint("verdict IN ('continue', 'stop')", name=op.f("ck_trimtab_reports_verdict")),
    )


def _create_workers() -> None:
    op.create_table(
        "trimtab_workers",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("host", sa.Text),
        sa.Column("device", sa.Text),
        _time("first_seen_at", now=True),
        _time("last_seen_at", now=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trimtab_workers")),
    )


def _create_tombstones() -> None:
    op.create_table(
        "trimtab_tombstones",
        sa.Column("lease_id", sa.BigInteger, nullable=False, comment="lived when its study went"),
        sa.Column("study", sa.Text, nullable=False),
        _time("deleted_at", now=True),
        sa.PrimaryKeyConstraint("lease_id", name=op.f("pk_trimtab_tombstones")),
    )
