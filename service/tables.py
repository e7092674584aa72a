"""Our tables, beside Optuna's, which hold every trial. What Optuna has no word for is here.

    studies (Optuna)  <-- trimtab_studies         what was asked, the state, the counters
    trials  (Optuna)  <-- trimtab_trials          the fence, what became of the trial, in which order it ended
                            ^-- trimtab_leases        who had it, until when
                                  ^-- trimtab_reports     every report with its verdict
                                  ^-- trimtab_logs        what the training wrote
    trimtab_rounds            of a study, the spaces of a search from coarse to fine
    trimtab_checkpoints       of a trial, the newest ones
    trimtab_models            of a study, its final model
    trimtab_test_reads        of a study, each time that its test set was to be read
    trimtab_wanted_finals     of a study, the final model that comes after its confirmation, or why none does
    trimtab_datasets          each version of each data set that was put
    trimtab_workers, trimtab_tombstones
    trimtab_tokens, trimtab_audit       who may call, and who changed what
    trimtab_keys                        answers that are given again to the same Idempotency-Key
    trimtab_liveness                    when a replica last met the database

Rows are locked in one order: a study, then its leases, then its trials. A report takes only its lease. A worker's row
is taken by who holds the study that it works on, and by who holds nothing else. An idempotency key is taken before
all of them; the row of liveness, and then leases, by who holds nothing else.
"""

from enum import StrEnum

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)

from trimtab.data import Problem
from trimtab.states import Decision, Origin, Outcome, Purpose, StudyState, TokenKind

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Optuna's, as far as ours refer to them.
Table("studies", metadata, Column("study_id", BigInteger, primary_key=True))
Table("trials", metadata, Column("trial_id", BigInteger, primary_key=True))


def _one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _time(name: str, *, now: bool = False) -> Column[object]:
    if now:
        return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())
    return Column(name, DateTime(timezone=True))


studies = Table(
    "trimtab_studies",
    metadata,
    Column("study_id", ForeignKey("studies.study_id", ondelete="CASCADE"), primary_key=True),
    Column("spec", JSON, nullable=False, comment="resolved, as it was at creation; json keeps its order"),
    Column("task", Text, comment="the name of its task; null: anybody asks and tells"),
    Column("state", Text, nullable=False, server_default=StudyState.RUNNING),
    Column("reason", Text),
    Column("budget", Integer, nullable=False, comment="trials; 2147483647: as many as there may ever be"),
    Column("created", Integer, nullable=False, server_default="0", comment="trials so far, of those that it counts"),
    Column("added", Integer, nullable=False, server_default="0", comment="trials that came already finished"),
    Column("sampled", Integer, nullable=False, server_default="0", comment="trials that a sampler chose"),
    Column("finished", Integer, nullable=False, server_default="0", comment="trials that have ended"),
    Column("epochs", BigInteger, comment="budget: steps reported"),
    Column("seconds", Double(53), comment="budget: from the first lease on"),
    Column("device_seconds", Double(53), comment="budget: of all leases together"),
    Column("target", Double(53), comment="a value that is good enough"),
    Column("patience", Integer, comment="trials that may end without a better one"),
    Column("epochs_used", BigInteger, nullable=False, server_default="0"),
    Column("device_seconds_used", Double(53), nullable=False, server_default="0", comment="of ended leases"),
    _time("first_leased_at"),
    Column("closing", Text, comment="why no trial is handed out any more, though some still run"),
    Column("failed_in_a_row", Integer, nullable=False, server_default="0"),
    Column("best_trial_id", BigInteger, comment="the best complete trial; the earlier one of equals"),
    Column("best_value", Double(53)),
    Column("best_order", Integer, comment="finish order of the best trial"),
    Column("space", JSON, comment="as it is now; null: as in the spec"),
    Column("revision", Integer, nullable=False, server_default="0", comment="of the space"),
    Column("trial_seconds", Double(53), comment="limit of an attempt"),
    Column("step_seconds", Double(53), comment="limit between reports"),
    Column("purpose", Text, nullable=False, server_default=Purpose.SEARCH, comment="what it is for"),
    Column("tags", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="to find it again by"),
    Column("priority", Integer, nullable=False, server_default="0", comment="higher ones are served first"),
    Column(
        "parent_id",
        ForeignKey("trimtab_studies.study_id", ondelete="SET NULL"),
        comment="the study that it follows; null: none, or it was deleted",
    ),
    Column("family_id", BigInteger, comment="the first of those that lead to it, also if deleted; null: itself"),
    _time("created_at", now=True),
    _time("ended_at"),
    _one_of("state", StudyState),
    _one_of("purpose", Purpose),
    Index("ix_trimtab_studies_parent_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index("ix_trimtab_studies_family_id", "family_id", postgresql_where=text("family_id IS NOT NULL")),
    CheckConstraint("finished <= created + added AND created <= budget", name="counters"),
    CheckConstraint("(ended_at IS NOT NULL) = (state IN ('complete', 'stopped'))", name="ended"),
    Index("ix_trimtab_studies_tags", "tags", postgresql_using="gin"),
    Index("ix_trimtab_studies_state", "state", "study_id"),
    Index("ix_trimtab_studies_running", "study_id", postgresql_where=text("state = 'running'")),
    Index(
        "ix_trimtab_studies_limited",
        "study_id",
        postgresql_where=text(
            "state IN ('running', 'paused')"
            " AND (epochs IS NOT NULL OR seconds IS NOT NULL OR device_seconds IS NOT NULL)"
        ),
    ),
)

trials = Table(
    "trimtab_trials",
    metadata,
    Column("trial_id", ForeignKey("trials.trial_id", ondelete="CASCADE"), primary_key=True),
    Column("study_id", ForeignKey("trimtab_studies.study_id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("origin", Text, nullable=False, server_default=Origin.SAMPLED, comment="who chose its params"),
    Column("sampled_for", Integer, nullable=False, comment="the number that the sampler expected"),
    Column("sequence", Integer, comment="the n-th that a sampler chose, from 0"),
    Column("fence", Integer, nullable=False, server_default="0", comment="of the newest lease"),
    Column("lost", Integer, nullable=False, server_default="0", comment="leases that ran out"),
    Column("outcome", Text, comment="of the lease that ended the trial"),
    Column("reason", Text, comment="why it was stopped or failed"),
    Column("step", Integer, comment="that the final metrics belong to"),
    Column("metrics", JSON, comment="the final ones"),
    Column("finish_order", Integer, comment="the n-th trial of its study to end, from 1"),
    Column("fallback", Text, comment="why the point is a random one, not the sampler's"),
    Column("curve", JSON, comment="of a trial that came already finished: each step with its metrics"),
    Column("is_feasible", Boolean, comment="whether it keeps the constraints; null: not known"),
    _one_of("origin", Origin),
    _one_of("outcome", Outcome),
    CheckConstraint("(outcome IS NULL) = (finish_order IS NULL)", name="finished"),
    UniqueConstraint("study_id", "number"),
    UniqueConstraint("study_id", "finish_order"),
)

rounds = Table(
    "trimtab_rounds",
    metadata,
    Column("study_id", ForeignKey("trimtab_studies.study_id", ondelete="CASCADE"), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("space", JSON, nullable=False),
    Column("alarms", JSON, nullable=False),
    Column("first_number", Integer, nullable=False, comment="of its trials"),
    _time("created_at", now=True),
)

leases = Table(
    "trimtab_leases",
    metadata,
    Column("lease_id", BigInteger, Identity(always=True), primary_key=True),
    Column("study_id", ForeignKey("trimtab_studies.study_id", ondelete="CASCADE"), nullable=False),
    Column("trial_id", ForeignKey("trimtab_trials.trial_id", ondelete="CASCADE"), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker", Text, nullable=False),
    Column("host", Text),
    Column("device", Text),
    _time("leased_at", now=True),
    _time("renewed_at", now=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("last_step", Integer, nullable=False, server_default="0"),
    Column("best", Double(53), comment="best value of the objective reported so far"),
    Column("stop_reason", Text, comment="given with the verdict stop"),
    Column("outcome", Text),
    Column("message", Text),
    Column("told", JSON, comment="the tell that ended it"),
    Column("token_id", BigInteger, comment="whose it is; null: the operator's"),
    Column("start_step", Integer, nullable=False, server_default="0", comment="of its checkpoint"),
    Column("trial_due_at", DateTime(timezone=True), comment="limit of the attempt"),
    Column("due_at", DateTime(timezone=True), comment="the next limit; past it the service ends the lease"),
    Column(
        "is_counted", Boolean, nullable=False, server_default=false(), comment="the budget counts its reports as epochs"
    ),
    _time("ended_at"),
    _one_of("outcome", Outcome),
    CheckConstraint("(outcome IS NULL) = (ended_at IS NULL)", name="ended"),
    UniqueConstraint("trial_id", "fence"),
    # Not on expires_at: each report moves it, and an update of no indexed column touches no index.
    Index("uq_trimtab_leases_live", "trial_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    Index("ix_trimtab_leases_study_id", "study_id", postgresql_where=text("ended_at IS NULL")),
    Index("ix_trimtab_leases_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
)

reports = Table(
    "trimtab_reports",
    metadata,
    Column("lease_id", ForeignKey("trimtab_leases.lease_id", ondelete="CASCADE"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("metrics", JSON, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text),
    _time("reported_at", now=True),
    _one_of("verdict", Decision),
)

logs = Table(
    "trimtab_logs",
    metadata,
    Column("lease_id", ForeignKey("trimtab_leases.lease_id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False, comment="its number, from 0"),
    Column("text", Text, nullable=False),
    _time("at", now=True),
)

workers = Table(
    "trimtab_workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host", Text),
    Column("device", Text),
    Column("tasks", ARRAY(Text), nullable=False, server_default=text("'{}'"), comment="it can train"),
    Column("device_memory_used", BigInteger, comment="bytes; null: not known"),
    Column("device_memory_total", BigInteger, comment="bytes; null: not known"),
    _time("first_seen_at", now=True),
    _time("last_seen_at", now=True),
    CheckConstraint("(device_memory_used IS NULL) = (device_memory_total IS NULL)", name="device_memory"),
)

tombstones = Table(
    "trimtab_tombstones",
    metadata,
    Column("lease_id", BigInteger, primary_key=True, autoincrement=False, comment="lived on the day its study went"),
    Column("study", Text, nullable=False),
    _time("deleted_at", now=True),
)

checkpoints = Table(
    "trimtab_checkpoints",
    metadata,
    Column("trial_id", ForeignKey("trimtab_trials.trial_id", ondelete="CASCADE"), primary_key=True),
    Column("step", Integer, primary_key=True, autoincrement=False),
    Column("fence", Integer, nullable=False, comment="of the lease that wrote it"),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("path", Text, nullable=False, comment="below TRIMTAB_ARTIFACTS"),
    _time("created_at", now=True),
)

# The content is a file. Content that is put again after other content is its version of before, under a new number.
datasets = Table(
    "trimtab_datasets",
    metadata,
    Column("dataset_id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False, comment="the n-th content of that name, from 1"),
    Column("sha256", Text, nullable=False, comment="of the file as workers read it"),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("path", Text, nullable=False, comment="below TRIMTAB_ARTIFACTS"),
    Column("problem", Text, nullable=False),
    Column("examples", Integer, nullable=False),
    Column("facts", JSON, nullable=False, comment="columns, classes, image, what to look at"),
    _time("created_at", now=True),
    _one_of("problem", Problem),
    UniqueConstraint("name", "version"),
    UniqueConstraint("name", "sha256"),
)

models = Table(
    "trimtab_models",
    metadata,
    Column("study_id", ForeignKey("trimtab_studies.study_id", ondelete="CASCADE"), primary_key=True),
    Column("fence", Integer, nullable=False, comment="of the lease that wrote it"),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("path", Text, nullable=False, comment="below TRIMTAB_ARTIFACTS"),
    _time("created_at", now=True),
)

test_reads = Table(
    "trimtab_test_reads",
    metadata,
    Column("read_id", BigInteger, Identity(always=True), primary_key=True),
    Column("study_id", ForeignKey("trimtab_studies.study_id", ondelete="CASCADE"), nullable=False),
    _time("at", now=True),
    Column("token_id", BigInteger, comment="who asked for it; null: the operator"),
    Column("final_study", Text, nullable=False, comment="the study that reads it"),
    Column("is_override", Boolean, nullable=False, comment="it had been read before"),
    Column("reason", Text, comment="given with an override"),
    # The lock: of a study, the first read is the only one that is no override.
    Index("uq_trimtab_test_reads_first", "study_id", unique=True, postgresql_where=text("NOT is_override")),
)

wanted_finals = Table(
    "trimtab_wanted_finals",
    metadata,
    Column("study_id", ForeignKey("trimtab_studies.study_id", ondelete="CASCADE"), primary_key=True),
    Column(
        "confirmation_id",
        ForeignKey("trimtab_studies.study_id", ondelete="SET NULL"),
        comment="that it follows; null: it was deleted, and none follows",
    ),
    Column("token_id", BigInteger, comment="who asked for it; null: the operator"),
    Column("reason", Text, comment="given with an override of the lock; null: it is none"),
    Column("refusal", Text, comment="why none was made; null: it is to come"),
    _time("at", now=True),
)

tokens = Table(
    "trimtab_tokens",
    metadata,
    Column("token_id", BigInteger, Identity(always=True), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, comment="SHA-256 of the token"),
    _time("created_at", now=True),
    _time("revoked_at"),
    _one_of("kind", TokenKind),
    UniqueConstraint("digest"),
)

# A trigger refuses every change of what is in it.
audit = Table(
    "trimtab_audit",
    metadata,
    Column("entry_id", BigInteger, Identity(always=True), primary_key=True),
    _time("at", now=True),
    Column("token_id", BigInteger, comment="who did it; null: the operator's own token or command"),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, comment="what it was done to"),
    Column("details", JSON, nullable=False),
)

keys = Table(
    "trimtab_keys",
    metadata,
    Column(
        "principal_id", BigInteger, primary_key=True, autoincrement=False, comment="the token; 0: the operator's own"
    ),
    Column("route", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request", LargeBinary, nullable=False, comment="SHA-256 of what was asked"),
    Column("status", Integer),
    Column("headers", JSON),
    Column("body", LargeBinary, comment="the answer, byte for byte; null: it is shown once only"),
    _time("created_at", now=True),
    Index("ix_trimtab_keys_created_at", "created_at"),
)

liveness = Table(
    "trimtab_liveness",
    metadata,
    Column("is_it", Boolean, primary_key=True, server_default=true(), comment="there is one row"),
    Column("seen_at", DateTime(timezone=True), nullable=False, comment="a replica and the database, together"),
    CheckConstraint("is_it", name="one"),
)
