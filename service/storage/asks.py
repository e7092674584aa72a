"""Ask, in the database: which studies have a trial to give, and the one statement that gives it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.checkpoints import CUT, best_until
from service.storage.dimensions import Dimension, Point
from service.storage.finished import Attributes
from service.storage.limits import FIRST_DUE, TRIAL_DUE
from trimtab.protocol import Checkpoint, DeviceMemory
from trimtab.states import Origin, Purpose


@dataclass(frozen=True)
class Candidate:
    """A running study that has a trial to give.

    Args:
        number: That the next trial is expected to get.
        left: Trials that there may still be.
        has_waiting: Whether a trial waits for its next attempt.
        revision: Of the space.
        ended: Trials that have ended.
        running: Trials that run.
    """

    study_id: int
    number: int
    left: int
    has_waiting: bool
    revision: int
    ended: int
    running: int


@dataclass(frozen=True)
class Place:
    """Where the next trial of a study comes.

    Args:
        number: That it gets.
        sequence: It is the n-th that is sampled, from 0.
    """

    number: int
    sequence: int


@dataclass(frozen=True)
class NewTrial:
    """A trial that is to be created.

    Args:
        point: Its parameters.
        sampled_for: The number that the point was sampled for.
        is_exact: Only if that is the number which the trial gets.
        attributes: What the sampler keeps with it.
        fallback: Why the point is a random one, where the sampler gave none.
        origin: Who chose the point.
    """

    point: Point
    sampled_for: int
    is_exact: bool = False
    origin: Origin = Origin.SAMPLED
    attributes: Attributes = field(default_factory=dict)
    fallback: str | None = None


@dataclass(frozen=True)
class Holder:
    """Who gets a lease, and for how long."""

    worker: str
    host: str | None
    device: str | None
    lease_seconds: float
    token_id: int | None = None
    device_memory: DeviceMemory | None = None
    tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Granted:
    """A lease that was just made, with the limits of its study as they are now.

    Args:
        best: The best value up to the checkpoint.
        checkpoint: Where the trial goes on; None: from the start.
    """

    lease_id: int
    number: int
    fence: int
    attempt: int
    expires_at: datetime
    trial_seconds: float | None
    step_seconds: float | None
    point: Point
    best: float | None = None
    checkpoint: Checkpoint | None = None


# The highest priority first; of equals the one with the fewest running trials, so that they share the workers; then
# the oldest.
_CANDIDATES = prepared(
    "candidates",
    """
    SELECT study_id, created + added, budget - created, has_waiting, revision, finished, live
    FROM trimtab_studies s
    CROSS JOIN LATERAL (
      SELECT EXISTS (SELECT FROM trials t WHERE t.study_id = s.study_id AND t.state = 'WAITING') AS has_waiting,
             live.count AS live, live.seconds AS live_seconds
      FROM (
        SELECT count(*), coalesce(sum(extract(epoch FROM clock_timestamp() - leased_at)), 0) AS seconds
        FROM trimtab_leases l WHERE l.study_id = s.study_id AND l.ended_at IS NULL) AS live
    ) AS now
    WHERE state = 'running' AND (created < budget AND closing IS NULL OR has_waiting)
      AND coalesce(device_seconds_used + live_seconds < device_seconds, true) AND coalesce(epochs_used < epochs, true)
      AND (CAST(:study_id AS bigint) IS NULL OR study_id = :study_id)
      AND CASE WHEN :any_task THEN task = ANY(CAST(:tasks AS text[]))
               ELSE task IS NULL OR CAST(:study_id AS bigint) IS NOT NULL END
      AND (CAST(:study_id AS bigint) IS NOT NULL OR purpose = ANY(CAST(:purposes AS text[])))
    ORDER BY priority DESC, live, study_id
    LIMIT 16
""",
)

_LEASE_COLUMNS = """
    study_id, trial_id, fence, attempt, worker, host, device, token_id, expires_at, trial_due_at, due_at, is_counted
"""
_LEASE_VALUES = f"""
    :worker, :host, :device, CAST(:token_id AS bigint), clock_timestamp() + make_interval(secs => :lease_seconds),
    {TRIAL_DUE}, {FIRST_DUE}, is_counted
"""

_IN_TIME = "coalesce(first_leased_at + make_interval(secs => seconds) > clock_timestamp(), true)"
"""Of a study: its budget of seconds is not used up."""

_HAS_EPOCHS = "coalesce(epochs_used < epochs, true)"
"""Of a study: its budget of epochs is not used up. The report of the last one does not close it: the next one does."""

# The budget is checked where the number is taken, under the lock of the study's row. So is the number that the point
# was sampled for, where that matters: another ask that took it was given the same point.
_CREATE = prepared(
    "create",
    f"""
    WITH study AS (
      UPDATE trimtab_studies SET
        created = created + 1, sampled = sampled + 1, first_leased_at = coalesce(first_leased_at, clock_timestamp())
      WHERE study_id = :study_id AND state = 'running' AND created < budget AND closing IS NULL AND {_IN_TIME}
        AND {_HAS_EPOCHS} AND coalesce(revision = :revision, true) AND (NOT :is_exact OR created + added = :sampled_for)
      RETURNING study_id, created + added - 1 AS number, sampled - 1 AS sequence, trial_seconds, step_seconds,
        epochs IS NOT NULL AS is_counted
    ), trial AS (
      INSERT INTO trials (study_id, number, state, datetime_start)
      SELECT study_id, number, 'RUNNING', timezone('UTC', clock_timestamp()) FROM study
      RETURNING trial_id, study_id, number
    ), param AS (
      INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
      SELECT trial_id, p.* FROM trial, unnest(
        CAST(:names AS text[]), CAST(:values AS float8[]), CAST(:distributions AS text[])) AS p
    ), attribute AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, a.* FROM trial, unnest(CAST(:keys AS text[]), CAST(:attributes AS text[])) AS a
    ), ours AS (
      INSERT INTO trimtab_trials (trial_id, study_id, number, origin, sampled_for, sequence, fallback, fence)
      SELECT trial_id, study_id, study.number, CAST(:origin AS text), CAST(:sampled_for AS int), sequence,
        CAST(:fallback AS text), 1
      FROM trial JOIN study USING (study_id)
    ), lease AS (
      INSERT INTO trimtab_leases ({_LEASE_COLUMNS})
      SELECT study_id, trial_id, 1, 1, {_LEASE_VALUES} FROM trial JOIN study USING (study_id)
      RETURNING lease_id, fence, attempt, expires_at
    )
    SELECT lease_id, study.number, fence, attempt, expires_at, trial_seconds, step_seconds FROM lease, study
""",
)

# waiting -> running. The curve of the lost attempt is cut at the newest checkpoint, or at the beginning.
_LEASE_WAITING = sa.text(f"""
    WITH study AS MATERIALIZED (
      SELECT study_id, trial_seconds, step_seconds, epochs IS NOT NULL AS is_counted FROM trimtab_studies
      WHERE study_id = :study_id AND state = 'running' AND {_IN_TIME} AND {_HAS_EPOCHS} FOR NO KEY UPDATE
    ), trial AS (
      UPDATE trials SET
        state = 'RUNNING', datetime_start = coalesce(datetime_start, timezone('UTC', clock_timestamp()))
      WHERE state = 'WAITING' AND trial_id = (
        SELECT trial_id FROM trials JOIN study USING (study_id) WHERE state = 'WAITING'
        ORDER BY number LIMIT 1 FOR NO KEY UPDATE OF trials)
      RETURNING trial_id, number
    ), start AS (
      SELECT trial_id, coalesce(c.step, 0) AS step, c.sha256, c.size
      FROM trial LEFT JOIN LATERAL (
        SELECT step, sha256, size FROM trimtab_checkpoints
        WHERE trimtab_checkpoints.trial_id = trial.trial_id ORDER BY step DESC LIMIT 1
      ) AS c ON true
    ), {CUT}, ours AS (
      UPDATE trimtab_trials t SET fence = t.fence + 1 FROM trial WHERE t.trial_id = trial.trial_id
      RETURNING t.study_id, t.trial_id, t.number, t.fence, t.lost
    ), lease AS (
      INSERT INTO trimtab_leases ({_LEASE_COLUMNS}, start_step, last_step, best)
      SELECT study_id, trial_id, fence, lost + 1, {_LEASE_VALUES},
        start.step, start.step, {best_until("start.step", "start.trial_id")}
      FROM ours JOIN study USING (study_id) JOIN start USING (trial_id)
      RETURNING lease_id, fence, attempt, expires_at, best
    ), begun AS (
      UPDATE trimtab_studies s SET first_leased_at = clock_timestamp() FROM ours
      WHERE s.study_id = ours.study_id AND first_leased_at IS NULL
    )
    SELECT lease.lease_id, ours.number, lease.fence, attempt, expires_at, trial_seconds, step_seconds,
      coalesce((SELECT json_object_agg(param_name, param_value) FROM trial_params p
        WHERE p.trial_id = ours.trial_id), '{{}}') AS point,
      CASE WHEN sha256 IS NOT NULL
        THEN json_build_object('step', step, 'sha256', sha256, 'size', size) END AS checkpoint, best
    FROM ours, lease, study, start
""")

_PLACE = f"""
    SELECT created + added, sampled FROM trimtab_studies
    WHERE study_id = :study_id AND state = 'running' AND created < budget AND closing IS NULL AND {_IN_TIME}
      AND {_HAS_EPOCHS}
"""
_READ_PLACE = sa.text(_PLACE)
_LOCK_PLACE = sa.text(f"{_PLACE} FOR NO KEY UPDATE")

# Trials that run may come to their end, and the last of them completes the study. Points that were tried remain so,
# unless the space is another by now.
_EXHAUST = sa.text("""
    UPDATE trimtab_studies SET
      closing = :reason,
      reason = CASE WHEN finished = created + added THEN :reason ELSE reason END,
      state = CASE WHEN finished = created + added THEN 'complete' ELSE state END,
      ended_at = CASE WHEN finished = created + added THEN clock_timestamp() END
    WHERE study_id = :study_id AND state = 'running' AND closing IS NULL AND revision = :revision
    RETURNING state = 'complete'
""")

_SEEN = prepared(
    "seen",
    """
    INSERT INTO trimtab_workers (name, host, device, tasks, device_memory_used, device_memory_total)
    VALUES (:worker, :host, :device, CAST(:tasks AS text[]), :memory_used, :memory_total)
    ON CONFLICT (name) DO UPDATE
    SET last_seen_at = clock_timestamp(), host = excluded.host, device = excluded.device, tasks = excluded.tasks,
      device_memory_used = excluded.device_memory_used, device_memory_total = excluded.device_memory_total
""",
)


def candidates(
    connection: sa.Connection, *, study_id: int | None, tasks: Sequence[str], purposes: Sequence[Purpose]
) -> list[Candidate]:
    """Return the studies that have a trial for a worker of these tasks, the one to serve first first.

    Args:
        connection: To read on.
        study_id: Only this study.
        tasks: The tasks that the worker can train; none: the study named, else studies without a task.
        purposes: That the worker serves, where no study is named.
    """
    values = {"study_id": study_id, "any_task": bool(tasks), "tasks": list(tasks), "purposes": list(purposes)}
    return [Candidate(*row) for row in connection.execute(_CANDIDATES, values)]


def seen(connection: sa.Connection, holder: Holder) -> None:
    """Note that a worker is there."""
    memory = holder.device_memory
    values = {
        "worker": holder.worker,
        "host": holder.host,
        "device": holder.device,
        "tasks": list(holder.tasks),
        "memory_used": memory and memory.used,
        "memory_total": memory and memory.total,
    }
    connection.execute(_SEEN, values)


def place(connection: sa.Connection, study_id: int) -> Place | None:
    """Return where the next trial of a study comes, unless another takes it first; None if it takes none."""
    row = connection.execute(_READ_PLACE, {"study_id": study_id}).one_or_none()
    return Place(*row) if row else None


def lock_place(connection: sa.Connection, study_id: int) -> Place | None:
    """Lock a study; return where its next trial comes, and None if it takes none."""
    row = connection.execute(_LOCK_PLACE, {"study_id": study_id}).one_or_none()
    return Place(*row) if row else None


def exhaust(connection: sa.Connection, study_id: int, *, revision: int, reason: str) -> bool:
    """Let a study create no more trials, since there is none left; return whether it is complete by that.

    Args:
        connection: In a transaction.
        study_id: Of the study.
        revision: Of the space in which there is none left. Nothing is written if it is another by now.
        reason: Why there is none.
    """
    values = {"study_id": study_id, "revision": revision, "reason": reason}
    return bool(connection.execute(_EXHAUST, values).scalar_one_or_none())


def create_trial(
    connection: sa.Connection,
    trial: NewTrial,
    *,
    study_id: int,
    revision: int | None,
    space: Sequence[Dimension],
    holder: Holder,
) -> Granted | None:
    """Create the next trial with all its parameters and lease it, in one statement.

    Args:
        connection: In a transaction.
        trial: What it is to be.
        study_id: Of the study.
        revision: Of the space that the point is of; None: of any, since the point is empty.
        space: Its dimensions.
        holder: Who gets the lease.

    Returns:
        The lease; None, with nothing written, if the study's budget is used up, it is not running, or the number
        is another.
    """
    drawn = [dimension for dimension in space if dimension.stored_name in trial.point]
    values = {
        "study_id": study_id,
        "revision": revision,
        "names": [dimension.stored_name for dimension in drawn],
        "values": [trial.point[dimension.stored_name] for dimension in drawn],
        "distributions": [dimension.distribution_json for dimension in drawn],
        "keys": list(trial.attributes),
        "attributes": [json.dumps(value) for value in trial.attributes.values()],
        "sampled_for": trial.sampled_for,
        "is_exact": trial.is_exact,
        "fallback": trial.fallback,
        "origin": trial.origin,
        **vars(holder),
    }
    row = connection.execute(_CREATE, values).one_or_none()
    return Granted(**row._asdict(), point=trial.point) if row else None


def lease_waiting(connection: sa.Connection, *, study_id: int, holder: Holder) -> Granted | None:
    """Lease the first trial that waits for another attempt; None, with nothing written, if none does."""
    row = connection.execute(_LEASE_WAITING, {"study_id": study_id, **vars(holder)}).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    checkpoint = values.pop("checkpoint")
    return Granted(checkpoint=Checkpoint(**checkpoint) if checkpoint else None, **values)
