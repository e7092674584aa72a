"""Report, heartbeat and tell: what a worker does with a lease. Each is the same twice as once.

report   look (read) -> judge (memory) -> record (one write, guarded by what was looked at)
tell     lock the study -> end the lease (guarded) -> end the trial, in one transaction
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from service import lifecycle, pruning
from service.database import autocommit, transaction
from service.memory import Progress, StudyMemory
from service.pruning import Judgement
from service.replica import Replica
from service.settling import settle
from service.storage import endings, leases
from service.storage.leases import LeaseRow, NewReport, Reference
from trimtab.errors import (
    Invalid,
    LeaseEnded,
    LeaseLost,
    LeaseNotFound,
    Refused,
    StepConflict,
    StudyDeleted,
    Unavailable,
)
from trimtab.protocol import FieldProblem, LeaseReport, Report, Tell, Told, Verdict
from trimtab.states import Decision, Direction, Outcome
from trimtab.study import Objective

_TRIES = 5
_LEASE_ID = re.compile(r"[1-9][0-9]{0,17}")


def reference(lease: str, fence: int) -> Reference:
    """Return what is meant by a lease's id on the wire.

    Raises:
        LeaseNotFound: No lease was ever called that.
    """
    if not _LEASE_ID.fullmatch(lease):
        raise LeaseNotFound(f"there is no lease {lease[:40]!r}")
    return Reference(int(lease), fence)


def report(replica: Replica, lease: Reference, measured: Report) -> Verdict:
    """Record a measurement, renew the lease and say whether to go on.

    Raises:
        LeaseNotFound: There never was such a lease.
        LeaseLost: It ran out, or the fence is not its own. Nothing was written.
        LeaseEnded: It was ended by a tell, and this report is not among those on record.
        StudyDeleted: Its study is gone.
        StepConflict: The step is on record with other metrics, or behind one that is.
        Invalid: The metric that is optimised is missing.
        Unavailable: The database is away or busy.
    """
    if known := replica.memory.known(lease.lease_id):
        study, progress = known
        if verdict := _record(replica, lease, study, progress, measured, known_finished=study.curves.known):
            return verdict
    for _ in range(_TRIES):
        with autocommit(replica.engine) as connection:
            row = _look(connection, lease, step=measured.step)
            if answer := _answer_on_record(replica, connection, lease, row, measured):
                return answer
            study = _study(replica, connection, row)
            study.learn_curves(connection, ended=row.study_finished)
        progress = Progress(study.study_id, row.last_step, row.best)
        if verdict := _record(replica, lease, study, progress, measured, known_finished=None):
            return verdict
    raise Unavailable("other calls on this lease came in between each time; try again", retry_after=1)


def report_many(replica: Replica, reports: Sequence[LeaseReport]) -> list[Verdict | Refused]:
    """Take each report by itself; the answers are in the order of the reports."""
    return [_report_one(replica, measured) for measured in reports]


def heartbeat(replica: Replica, lease: Reference) -> Verdict:
    """Renew the lease and say whether the trial was told to stop.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Unavailable: As for a report.
    """
    with autocommit(replica.engine) as connection:
        renewed = leases.renew(connection, lease, lease_seconds=replica.lease_seconds)
        if renewed is None:
            raise _not_live(_look(connection, lease))
    expiry, stop_reason = renewed
    return _verdict(replica, expiry, _as_told(stop_reason), is_recorded=False)


def tell(replica: Replica, lease: Reference, told: Tell) -> Told:
    """End a lease as its worker says, and with it the trial unless that goes back to the queue.

    Raises:
        LeaseNotFound, LeaseLost, StudyDeleted, Unavailable: As for a report.
        LeaseEnded: Another tell has ended it.
        Invalid: `complete` without the metric that is optimised.
    """
    with transaction(replica.engine) as connection:
        study = endings.lock_study(connection, lease.lease_id)
        known = replica.memory.study(connection, study.study_id) if study else None
        if study is None or known is None:
            raise _gone(connection, lease.lease_id)
        _check_final_metrics(told, known.objective)
        closed = endings.close_told(connection, lease, told)
        if closed is None:
            return _told_before(_look(connection, lease), told, known.objective)
        ending = lifecycle.ending_by_tell(told, closed, known.objective)
        settle(connection, study, closed, ending, spec=known.spec, is_lost=False)
    replica.memory.forget(lease.lease_id)
    replica.changes.announce()
    is_stopped = closed.stop_reason is not None
    return _told(known.spec.name, closed.number, told, known.objective, is_stopped=is_stopped)


def _report_one(replica: Replica, measured: LeaseReport) -> Verdict | Refused:
    try:
        plain = Report(step=measured.step, metrics=measured.metrics)
        return report(replica, reference(measured.lease, measured.fence), plain)
    except Refused as refused:
        return refused


def _look(connection: sa.Connection, lease: Reference, *, step: int = 0) -> LeaseRow:
    row = leases.look(connection, lease.lease_id, step=step)
    if row is None:
        raise _gone(connection, lease.lease_id)
    if row.fence != lease.fence:
        raise LeaseLost(f"the fence of this lease is not {lease.fence}")
    return row


def _gone(connection: sa.Connection, lease_id: int) -> Refused:
    study = leases.study_of_deleted(connection, lease_id)
    if study is None:
        return LeaseNotFound(f"there is no lease '{lease_id}'")
    return StudyDeleted(f"study {study!r} was deleted")


def _not_live(row: LeaseRow) -> Refused:
    if row.outcome is None or row.outcome is Outcome.LOST:
        return LeaseLost(f"this lease on trial {row.number} of {row.study!r} ran out at {row.expires_at.isoformat()}")
    return LeaseEnded(f"this lease on trial {row.number} of {row.study!r} was ended: {row.outcome}")


def _answer_on_record(
    replica: Replica, connection: sa.Connection, lease: Reference, row: LeaseRow, measured: Report
) -> Verdict | None:
    """Return the answer to a report that changes nothing; None if it is a new one."""
    is_same = row.report is not None and row.report.metrics == measured.metrics
    if row.report and is_same and row.outcome not in {None, Outcome.LOST}:
        stored = Judgement(row.report.verdict, row.report.reason)
        return _verdict(replica, row.expires_at, stored, is_recorded=True)
    if not row.is_live:
        raise _not_live(row)
    if row.report and not is_same:
        raise StepConflict(f"step {measured.step} is on record with other metrics: {json.dumps(row.report.metrics)}")
    if row.report is None and measured.step <= row.last_step:
        raise StepConflict(f"step {measured.step} is behind the last one reported, {row.last_step}")
    if row.report is None and row.stop_reason is None:
        return None
    renewed = leases.renew(connection, lease, lease_seconds=replica.lease_seconds)
    if renewed is None:
        raise _not_live(_look(connection, lease))
    stored = Judgement(row.report.verdict, row.report.reason) if row.report else _as_told(row.stop_reason)
    return _verdict(replica, renewed[0], stored, is_recorded=row.report is not None)


def _study(replica: Replica, connection: sa.Connection, row: LeaseRow) -> StudyMemory:
    study = replica.memory.study(connection, row.study_id)
    if study is None:
        raise StudyDeleted(f"study {row.study!r} was deleted")
    return study


def _record(
    replica: Replica,
    lease: Reference,
    study: StudyMemory,
    before: Progress,
    measured: Report,
    *,
    known_finished: int | None,
) -> Verdict | None:
    """Judge and write, in one statement; None, with nothing written, if more has happened than `before` knows."""
    if measured.step <= before.last_step:
        return None
    value = _objective_value(measured, study.objective)
    best = _better(before.best, value, study.objective.direction)
    judgement = _judge(study, measured.step, best)
    new = NewReport(measured.step, measured.metrics, value, best, judgement.decision, judgement.reason)
    with autocommit(replica.engine) as connection:
        expiry = leases.record(
            connection,
            lease,
            new,
            known_step=before.last_step,
            known_finished=known_finished,
            lease_seconds=replica.lease_seconds,
        )
    if expiry is None:
        return None
    replica.memory.note(lease.lease_id, Progress(study.study_id, measured.step, best))
    return _verdict(replica, expiry, judgement, is_recorded=True)


def _objective_value(measured: Report, objective: Objective) -> float | None:
    if objective.metric not in measured.metrics:
        problem = FieldProblem(field=f"metrics.{objective.metric}", message="is missing: it is what is optimised")
        raise Invalid("the report lacks a metric", errors=[problem])
    return measured.metrics[objective.metric]


def _better(best: float | None, value: float | None, direction: Direction) -> float | None:
    if best is None or value is None:
        return value if best is None else best
    return min(best, value) if direction is Direction.MINIMIZE else max(best, value)


def _judge(study: StudyMemory, step: int, best: float | None) -> Judgement:
    with study.lock:
        return pruning.judge(study.spec.pruner, study.curves, step=step, best=best, direction=study.objective.direction)


def _as_told(stop_reason: str | None) -> Judgement:
    return Judgement(Decision.STOP, stop_reason) if stop_reason else pruning.GO_ON


def _verdict(replica: Replica, expiry: datetime, judgement: Judgement, *, is_recorded: bool) -> Verdict:
    return Verdict(
        verdict=judgement.decision,
        reason=judgement.reason,
        recorded=is_recorded,
        expires_in=replica.lease_seconds,
        expires_at=expiry,
    )


def _check_final_metrics(told: Tell, objective: Objective) -> None:
    if told.outcome is Outcome.COMPLETE and objective.metric not in told.metrics:
        problem = FieldProblem(field=f"metrics.{objective.metric}", message="is missing: it is what is optimised")
        raise Invalid("a complete trial needs its final figures", errors=[problem])


def _told_before(row: LeaseRow, told: Tell, objective: Objective) -> Told:
    if row.told is None:
        raise _not_live(row)
    if Tell.model_validate_json(json.dumps(row.told)) != told:
        raise LeaseEnded(f"this lease on trial {row.number} of {row.study!r} was ended by another tell: {row.outcome}")
    return _told(row.study, row.number, told, objective, is_stopped=row.stop_reason is not None)


def _told(study: str, number: int, told: Tell, objective: Objective, *, is_stopped: bool) -> Told:
    outcome = lifecycle.outcome_of(told, objective)
    return Told(study=study, trial=number, outcome=outcome, state=lifecycle.state_of(outcome, is_stopped=is_stopped))
