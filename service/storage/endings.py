"""The end of a lease in the database, and what it makes of its trial and its study. Within one transaction.

lock_study -> close_told or close_over -> requeue or finish
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.leases import LIVE, Reference, report_at
from service.storage.limits import IS_OVERDUE, OVER_AT
from service.storage.liveness import IS_FRESH
from trimtab.message import Metrics
from trimtab.protocol import Tell
from trimtab.states import Outcome, StudyState, TrialState

CONSTRAINT_PREFIX = "constraints:"
"""What Optuna puts before the name of a constraint where it keeps its value."""


@dataclass(frozen=True)
class LockedStudy:
    """What the end of a trial depends on and changes; nobody else can change it now.

    Args:
        budget: Trials that there may be.
        created: Trials so far, of those that the budget counts.
        added: Trials that came already finished: it does not count them.
        finished: Trials that have ended, added ones among them.
        best_value: Of the best trial; None while there is none.
        epochs: A limit of the budget; None: there is none. Likewise seconds, device_seconds, target and patience.
        epochs_used: Reports counted.
        closing: Why no trial is handed out any more, though some are open; None: they are.
    """

    study_id: int
    state: StudyState
    reason: str | None
    budget: int
    created: int
    added: int
    finished: int
    failed_in_a_row: int
    best_value: float | None
    epochs: int | None
    epochs_used: int
    seconds: float | None
    device_seconds: float | None
    target: float | None
    patience: int | None
    closing: str | None

    @property
    def ended(self) -> int:
        """Trials that have ended, of those that the budget counts."""
        return self.finished - self.added

    @property
    def open(self) -> int:
        """Trials that run or wait."""
        return self.created - self.ended

    @property
    def is_limited(self) -> bool:
        """Whether its budget limits anything but the number of trials."""
        limits = (self.epochs, self.seconds, self.device_seconds, self.target, self.patience)
        return any(limit is not None for limit in limits)


@dataclass(frozen=True)
class Usage:
    """What a study has used up of its budget, beside trials.

    Args:
        epochs: Reports counted.
        seconds: Since the first lease; None: there was none.
        device_seconds: Of all leases together, live ones until now.
        unimproved: Trials that ended since the best one did, counted up to the budget's patience; None: there is no
            best one, or no patience.
    """

    epochs: int
    seconds: float | None
    device_seconds: float
    unimproved: int | None


@dataclass(frozen=True)
class ClosedLease:
    """A lease that was just ended.

    Args:
        outcome: How it ended.
        message: Why, in words; None where there is nothing to say.
        lost: Leases of this trial that ran out before.
        last_step: The last step reported; None if none was.
        last_metrics: What was reported there.
    """

    trial_id: int
    number: int
    outcome: Outcome
    message: str | None
    lost: int
    stop_reason: str | None
    last_step: int | None
    last_metrics: Metrics


@dataclass(frozen=True)
class Loss:
    """A lease that ran out: who had it, where, and when there was a last sign of them."""

    worker: str
    host: str | None
    last_seen_at: datetime


@dataclass(frozen=True)
class Ending:
    """The end of a trial.

    Args:
        outcome: Of its last lease.
        state: Complete, pruned or fail.
        values: Of the objectives; empty if there are none.
        excesses: By metric that is bound, how far it is beyond its bound; zero or less where it is kept.
        step: That the metrics belong to.
        metrics: The final ones.
        reason: Why it was stopped or failed.
    """

    outcome: Outcome
    state: TrialState
    values: Sequence[float]
    excesses: Mapping[str, float]
    step: int | None
    metrics: Metrics
    reason: str | None

    @property
    def is_feasible(self) -> bool:
        """Whether every constraint that was measured is kept."""
        return all(excess <= 0 for excess in self.excesses.values())


@dataclass(frozen=True)
class StudyAfter:
    """The study after one more trial ended."""

    state: StudyState
    reason: str | None
    failed_in_a_row: int
    is_best: bool


_LOCK_STUDY = """
    SELECT study_id, state, reason, budget, created, added, finished, failed_in_a_row, best_value,
      epochs, epochs_used, seconds, device_seconds, target, patience, closing
    FROM trimtab_studies
    WHERE study_id = ({study})
    FOR NO KEY UPDATE
"""

_LOCK_STUDY_OF = prepared(
    "lock_study", _LOCK_STUDY.format(study="SELECT study_id FROM trimtab_leases WHERE lease_id = :lease_id")
)

_LOCK_STUDY_NAMED = sa.text(_LOCK_STUDY.format(study="SELECT study_id FROM studies WHERE study_name = :name"))

_LOCK_STUDY_BY_ID = sa.text(_LOCK_STUDY.format(study=":study_id"))

# How many trials ended since the best one is asked only where the budget has patience, and as far as that goes.
_USAGE = sa.text("""
    SELECT epochs_used AS epochs, CAST(extract(epoch FROM clock_timestamp() - first_leased_at) AS float8) AS seconds,
      device_seconds_used + (
        SELECT CAST(coalesce(sum(extract(epoch FROM clock_timestamp() - leased_at)), 0) AS float8)
        FROM trimtab_leases l WHERE l.study_id = s.study_id AND ended_at IS NULL) AS device_seconds,
      CASE WHEN patience IS NOT NULL AND best_trial_id IS NOT NULL THEN (
        SELECT count(*) FROM (
          SELECT FROM trimtab_trials t WHERE t.study_id = :study_id AND origin <> 'added' AND finish_order > (
            SELECT finish_order FROM trimtab_trials b WHERE b.trial_id = s.best_trial_id)
          ORDER BY finish_order DESC LIMIT s.patience) AS since) END AS unimproved
    FROM trimtab_studies s WHERE study_id = :study_id
""")

# Each second, in each replica: the first two conditions are those of an index.
_USED_UP = sa.text("""
    SELECT study_id FROM trimtab_studies s
    WHERE state IN ('running', 'paused')
      AND (epochs IS NOT NULL OR seconds IS NOT NULL OR device_seconds IS NOT NULL)
      AND coalesce(closing NOT LIKE 'budget.%', true)
      AND (epochs_used >= epochs
        OR first_leased_at + make_interval(secs => seconds) <= clock_timestamp()
        OR CASE WHEN device_seconds IS NOT NULL THEN device_seconds_used + (
          SELECT CAST(coalesce(sum(extract(epoch FROM clock_timestamp() - leased_at)), 0) AS float8)
          FROM trimtab_leases l WHERE l.study_id = s.study_id AND ended_at IS NULL) >= device_seconds END)
    ORDER BY study_id
""")

_BEGIN_CLOSING = sa.text("UPDATE trimtab_studies SET closing = :reason WHERE study_id = :study_id")

_STOP_ALL = sa.text("""
    UPDATE trimtab_leases SET stop_reason = :reason
    WHERE study_id = :study_id AND ended_at IS NULL AND stop_reason IS NULL
""")

_COMPLETE = sa.text("""
    UPDATE trimtab_studies SET state = 'complete', reason = closing, ended_at = clock_timestamp()
    WHERE study_id = :study_id AND state IN ('running', 'paused') AND closing IS NOT NULL
      AND finished = created + added
""")

_COUNT_LEASES = sa.text("UPDATE trimtab_leases SET is_counted = true WHERE study_id = :study_id AND ended_at IS NULL")

_COUNT_EPOCHS = sa.text("""
    UPDATE trimtab_studies s SET epochs_used = (
      SELECT count(*) FROM trimtab_leases JOIN trimtab_reports USING (lease_id)
      JOIN trimtab_trials t USING (trial_id) WHERE t.study_id = :study_id)
    WHERE study_id = :study_id
""")

_CLOSE = """
    WITH lease AS (
      UPDATE trimtab_leases
      SET outcome = {outcome}, message = {message}, told = {told}, ended_at = clock_timestamp()
      WHERE {guard}
      RETURNING lease_id, trial_id, study_id, worker, leased_at, renewed_at, ended_at, outcome, message, stop_reason,
        nullif(last_step, 0) AS last_step
    ), used AS (
      UPDATE trimtab_studies s SET
        device_seconds_used = device_seconds_used + extract(epoch FROM lease.ended_at - lease.leased_at)
      FROM lease WHERE s.study_id = lease.study_id
    ){also}
    SELECT trial_id, number, lease.outcome, message, lost, stop_reason, last_step,
      coalesce(r.metrics, '{{}}') AS last_metrics
    FROM lease
    JOIN trimtab_trials USING (trial_id)
    LEFT JOIN LATERAL ({last_report}) AS r ON true
"""

# A worker that falls silent was last seen when it last renewed a lease.
_SEEN_LAST = """, seen AS (
      UPDATE trimtab_workers SET last_seen_at = greatest(last_seen_at, lease.renewed_at) FROM lease
      WHERE name = lease.worker
    )
"""

_LAST_REPORT = report_at("lease.last_step", "lease.trial_id")

# Whoever tells is there.
_SEEN = """, seen AS (
      UPDATE trimtab_workers SET last_seen_at = clock_timestamp() FROM lease WHERE name = lease.worker
    )
"""

_CLOSE_TOLD = prepared(
    "close_told",
    _CLOSE.format(
        outcome=":outcome",
        message=":message",
        told="CAST(:told AS json)",
        guard=LIVE,
        also=_SEEN,
        last_report=_LAST_REPORT,
    ),
)

_SILENCE = f"""
    CASE WHEN {IS_OVERDUE} THEN
      CASE WHEN due_at = trial_due_at THEN 'the attempt took longer than limits.trial_seconds'
           ELSE 'a step took longer than limits.step_seconds' END || ', and its worker did not end it'
    ELSE 'no sign of its worker for ' || round(extract(epoch FROM clock_timestamp() - renewed_at)) || ' s' END
"""

_CLOSE_OVER = sa.text(
    _CLOSE.format(
        outcome=f"CASE WHEN {IS_OVERDUE} THEN '{Outcome.TIMEOUT}' ELSE '{Outcome.LOST}' END",
        message=_SILENCE,
        told="NULL",
        guard=f"lease_id = :lease_id AND ended_at IS NULL AND {OVER_AT} <= clock_timestamp() AND {IS_FRESH}",
        also=_SEEN_LAST,
        last_report=_LAST_REPORT,
    )
)

_LOSSES = sa.text("""
    SELECT worker, host, renewed_at AS last_seen_at FROM trimtab_leases
    WHERE trial_id = :trial_id AND outcome = 'lost' ORDER BY fence
""")

_ASK_TO_STOP = sa.text("""
    UPDATE trimtab_leases SET stop_reason = :reason
    WHERE trial_id = :trial_id AND ended_at IS NULL AND stop_reason IS NULL
""")

# running -> waiting
_REQUEUE = sa.text("""
    WITH trial AS (
      UPDATE trials SET state = 'WAITING' WHERE trial_id = :trial_id AND state = 'RUNNING' RETURNING trial_id
    )
    UPDATE trimtab_trials t SET lost = lost + :lost FROM trial WHERE t.trial_id = trial.trial_id
""")

# running -> complete, pruned, fail; waiting -> pruned. Whoever changes a trial's state holds its study.
_FINISH = prepared(
    "finish",
    """
    WITH study AS (
      UPDATE trimtab_studies SET
        finished = finished + 1,
        failed_in_a_row = :failed_in_a_row,
        state = :study_state,
        reason = :study_reason,
        ended_at = CASE WHEN :study_has_ended THEN coalesce(ended_at, clock_timestamp()) END,
        best_trial_id = CASE WHEN :is_best THEN :trial_id ELSE best_trial_id END,
        best_value = CASE WHEN :is_best THEN (CAST(:values AS float8[]))[1] ELSE best_value END,
        best_order = CASE WHEN :is_best THEN finished + 1 ELSE best_order END
      WHERE study_id = :study_id
      RETURNING finished
    ), trial AS (
      UPDATE trials SET
        state = CAST(:state AS trialstate), datetime_complete = timezone('UTC', clock_timestamp()),
        datetime_start = coalesce(datetime_start, timezone('UTC', clock_timestamp()))
      WHERE trial_id = :trial_id AND state IN ('RUNNING', 'WAITING')
      RETURNING trial_id
    ), value AS (
      INSERT INTO trial_values (trial_id, objective, value, value_type)
      SELECT trial_id, v.position - 1, v.value, 'FINITE'
      FROM trial, unnest(CAST(:values AS float8[])) WITH ORDINALITY AS v (value, position)
    ), bound AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, c.key, CAST(to_json(c.excess) AS text)
      FROM trial, unnest(CAST(:bound AS text[]), CAST(:excesses AS float8[])) AS c (key, excess)
    )
    UPDATE trimtab_trials t SET
      lost = lost + :lost, outcome = :outcome, reason = :reason, step = :step, metrics = CAST(:metrics AS json),
      finish_order = (SELECT finished FROM study), is_feasible = CAST(:is_feasible AS boolean)
    FROM trial WHERE t.trial_id = trial.trial_id
""",
)

# waiting -> pruned, of many at once: they end in the order of their numbers.
_PRUNE_WAITING = sa.text("""
    WITH given AS (
      SELECT * FROM json_to_recordset(CAST(:endings AS json)) AS g (
        trial_id bigint, outcome text, reason text, step int, metrics json,
        is_feasible boolean, "values" json, bound json)
    ), trial AS (
      UPDATE trials t SET
        state = 'PRUNED', datetime_complete = timezone('UTC', clock_timestamp()),
        datetime_start = coalesce(datetime_start, timezone('UTC', clock_timestamp()))
      FROM given WHERE t.trial_id = given.trial_id AND t.state = 'WAITING'
      RETURNING t.trial_id, t.number
    ), placed AS (
      SELECT trial_id, row_number() OVER (ORDER BY number) AS place FROM trial
    ), study AS (
      UPDATE trimtab_studies SET finished = finished + (SELECT count(*) FROM trial), failed_in_a_row = 0
      WHERE study_id = :study_id
      RETURNING finished - (SELECT count(*) FROM trial) AS finished_before
    ), value AS (
      INSERT INTO trial_values (trial_id, objective, value, value_type)
      SELECT trial_id, v.position - 1, CAST(v.value AS float8), 'FINITE'
      FROM trial JOIN given USING (trial_id)
      CROSS JOIN json_array_elements_text("values") WITH ORDINALITY AS v (value, position)
    ), bound AS (
      INSERT INTO trial_system_attributes (trial_id, key, value_json)
      SELECT trial_id, c.key, c.value FROM trial JOIN given USING (trial_id) CROSS JOIN json_each_text(bound) AS c
    )
    UPDATE trimtab_trials t SET
      outcome = given.outcome, reason = given.reason, step = given.step, metrics = given.metrics,
      is_feasible = given.is_feasible, finish_order = finished_before + place
    FROM placed JOIN given USING (trial_id), study WHERE t.trial_id = placed.trial_id
""")

_OVER = sa.text(f"""
    SELECT lease_id, study_id FROM trimtab_leases
    WHERE ended_at IS NULL AND {OVER_AT} <= clock_timestamp() AND {IS_FRESH}
      AND study_id <> ALL(CAST(:but AS bigint[]))
    ORDER BY {OVER_AT} LIMIT 100
""")

_HURRY = sa.text("SET LOCAL lock_timeout = '200ms'")


def over(connection: sa.Connection, *, but: Iterable[int]) -> list[tuple[int, int]]:
    """Return leases that have run out, or are past a limit, and are not ended yet, each with its study.

    The oldest first, at most 100.

    Args:
        connection: To read on.
        but: Studies that are left out.
    """
    return [(row.lease_id, row.study_id) for row in connection.execute(_OVER, {"but": list(but)})]


def hurry(connection: sa.Connection) -> None:
    """Let this transaction fail soon where somebody holds a row that it needs: longer than any call of ours does."""
    connection.execute(_HURRY)


def lock_study(connection: sa.Connection, lease_id: int) -> LockedStudy | None:
    """Lock the study that this lease is of; None if there is no such lease."""
    return _locked(connection.execute(_LOCK_STUDY_OF, {"lease_id": lease_id}).one_or_none())


def lock_study_named(connection: sa.Connection, name: str) -> LockedStudy | None:
    """Lock the study called `name`; None if there is none."""
    return _locked(connection.execute(_LOCK_STUDY_NAMED, {"name": name}).one_or_none())


def lock_study_by_id(connection: sa.Connection, study_id: int) -> LockedStudy | None:
    """Lock a study; None if it is gone."""
    return _locked(connection.execute(_LOCK_STUDY_BY_ID, {"study_id": study_id}).one_or_none())


def usage(connection: sa.Connection, study_id: int) -> Usage:
    """Return what a study has used up of its budget."""
    return Usage(**connection.execute(_USAGE, {"study_id": study_id}).one()._asdict())


def used_up(connection: sa.Connection) -> list[int]:
    """Return studies of which a limit is reached that no end of a trial brings about, and that still go on."""
    return list(connection.execute(_USED_UP).scalars())


def begin_closing(connection: sa.Connection, study_id: int, *, reason: str) -> None:
    """Let a locked study hand out no more trials, and the workers of those that run hear a stop."""
    connection.execute(_BEGIN_CLOSING, {"study_id": study_id, "reason": reason})
    stop_all(connection, study_id, reason=reason)


def stop_all(connection: sa.Connection, study_id: int, *, reason: str) -> None:
    """Let the workers of all running trials of a study hear a stop at their next call."""
    connection.execute(_STOP_ALL, {"study_id": study_id, "reason": reason})


def complete(connection: sa.Connection, study_id: int) -> bool:
    """Let a closing study be complete if all its trials have ended; return whether it is by that."""
    return connection.execute(_COMPLETE, {"study_id": study_id}).rowcount == 1


def count_epochs(connection: sa.Connection, study_id: int) -> None:
    """Count the reports of a locked study that were not counted so far; from now on each one is counted as it comes.

    Each report takes its lease: those under way come first, and those that come later find that they are counted.
    """
    connection.execute(_COUNT_LEASES, {"study_id": study_id})
    connection.execute(_COUNT_EPOCHS, {"study_id": study_id})


def close_told(connection: sa.Connection, lease: Reference, tell: Tell, *, outcome: Outcome) -> ClosedLease | None:
    """End a live lease as its worker tells; None, with nothing written, if it is not live.

    Args:
        connection: In a transaction.
        lease: Which one.
        tell: As it came.
        outcome: What it comes to.
    """
    values = {**vars(lease), "outcome": outcome, "message": tell.message, "told": tell.model_dump_json()}
    return _closed(connection.execute(_CLOSE_TOLD, values).one_or_none())


def close_over(connection: sa.Connection, lease_id: int) -> ClosedLease | None:
    """End a lease that has run out, or is past a limit; None, with nothing written, if it lives on or was ended."""
    return _closed(connection.execute(_CLOSE_OVER, {"lease_id": lease_id}).one_or_none())


def losses(connection: sa.Connection, trial_id: int) -> list[Loss]:
    """Return the leases of a trial that ran out, in order."""
    return [Loss(**row._asdict()) for row in connection.execute(_LOSSES, {"trial_id": trial_id})]


def ask_to_stop(connection: sa.Connection, trial_id: int, *, reason: str) -> bool:
    """Let the worker of a running trial hear a stop at its next call; return False if it was told to stop before."""
    return connection.execute(_ASK_TO_STOP, {"trial_id": trial_id, "reason": reason}).rowcount == 1


def requeue(connection: sa.Connection, trial_id: int, *, is_lost: bool) -> None:
    """Let a trial wait for its next attempt; a lost lease is counted, a released one is not."""
    connection.execute(_REQUEUE, {"trial_id": trial_id, "lost": int(is_lost)})


def finish(connection: sa.Connection, study: LockedStudy, trial_id: int, ending: Ending, after: StudyAfter) -> None:
    """Write the end of a trial and what it makes of its study, in one statement."""
    values = {
        "outcome": ending.outcome,
        "reason": ending.reason,
        "step": ending.step,
        "values": list(ending.values),
        "bound": [f"{CONSTRAINT_PREFIX}{metric}" for metric in ending.excesses],
        "excesses": list(ending.excesses.values()),
        "is_feasible": ending.is_feasible if ending.excesses else None,
        "metrics": json.dumps(ending.metrics),
        "state": ending.state.upper(),
        "trial_id": trial_id,
        "lost": int(ending.outcome is Outcome.LOST),
        "study_id": study.study_id,
        "study_state": after.state,
        "study_reason": after.reason,
        "study_has_ended": after.state.is_ended,
        "failed_in_a_row": after.failed_in_a_row,
        "is_best": after.is_best,
    }
    connection.execute(_FINISH, values)


def prune_waiting(connection: sa.Connection, study_id: int, pruned: Mapping[int, Ending]) -> None:
    """Write that trials which waited are pruned, in one statement however many there are.

    Args:
        connection: In the transaction that locked the study.
        study_id: Of the study. Its state stays.
        pruned: The end of each by the id of the trial.
    """
    if not pruned:
        return
    rows = [
        {
            "trial_id": trial_id,
            "outcome": ending.outcome,
            "reason": ending.reason,
            "step": ending.step,
            "metrics": ending.metrics,
            "is_feasible": ending.is_feasible if ending.excesses else None,
            "values": list(ending.values),
            "bound": {f"{CONSTRAINT_PREFIX}{metric}": excess for metric, excess in ending.excesses.items()},
        }
        for trial_id, ending in pruned.items()
    ]
    connection.execute(_PRUNE_WAITING, {"study_id": study_id, "endings": json.dumps(rows)})


def _locked(row: sa.Row[tuple[object, ...]] | None) -> LockedStudy | None:
    if row is None:
        return None
    values = row._asdict()
    return LockedStudy(state=StudyState(values.pop("state")), **values)


def _closed(row: sa.Row[tuple[object, ...]] | None) -> ClosedLease | None:
    if row is None:
        return None
    values = row._asdict()
    return ClosedLease(outcome=Outcome(values.pop("outcome")), **values)
