"""Report: a measurement, and the verdict on it. The same twice as once.

Judge on what is remembered and record, in one statement that is guarded by what the verdict was decided on. If more has
happened than this replica knows: look, learn, judge, record.
"""

import json
from collections.abc import Sequence

import sqlalchemy as sa

from service import closing, judging, pruning
from service.calls import after_outage, as_told, look, missing, not_live, reference, verdict_of
from service.database import Held, autocommit
from service.memory import Progress, StudyMemory
from service.once import UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.pruning import Judgement, Standing
from service.replica import Replica
from service.storage import leases
from service.storage.leases import LeaseRow, NewReport, Reference
from trimtab.errors import Refused, StepConflict, StudyDeleted, Unavailable
from trimtab.protocol import LeaseReport, Report, Verdict, Verdicts
from trimtab.states import Outcome

_TRIES = 5

_HELD = 2
"""Leases that somebody may hold, for 2 s each, before a request of many reports is given up."""


@after_outage
def report(replica: Replica, lease: Reference, measured: Report, *, once: Once = UNKEYED) -> Verdict:
    """Record a measurement, renew the lease and say whether to go on.

    Raises:
        LeaseNotFound: There never was such a lease.
        LeaseLost: It ran out, or the fence is not its own. Nothing was written.
        Forbidden: It was given to another token.
        LeaseEnded: It was ended, by a tell or at a limit, and this report is not among those on record.
        StudyDeleted: Its study is gone.
        StepConflict: The step is on record with other metrics, or behind one that is.
        Invalid: The metric that is optimised is missing.
        Unavailable: The database is away or busy.
    """
    if known := replica.memory.known(lease.lease_id):
        study, progress = known
        if verdict := _record(replica, lease, study, progress, measured, known_finished=study.curves.known, once=once):
            return verdict
    for _ in range(_TRIES):
        with autocommit(replica.engine) as connection:
            row = look(connection, lease, step=measured.step)
            # After the look: if this very request was recorded in between, its answer is there now.
            once.replay(connection)
            if answer := _answer_on_record(replica, connection, lease, row, measured):
                return answer
            on_record = None if row.is_spent else _on_record(replica, connection, lease, row, measured)
        if on_record is None:
            closing.close(replica, row.study_id)
        elif verdict := _record(replica, lease, *on_record, measured, known_finished=None, once=once):
            return verdict
    raise Unavailable("other calls on this lease came in between each time; try again", retry_after=1)


def report_many(
    replica: Replica, reports: Sequence[LeaseReport], *, principal: Principal = OPERATOR, once: Once = UNKEYED
) -> Verdicts:
    """Take each report by itself; the answers are in the order of the reports.

    With a key the answer is kept when all of them are taken: each of them is the same twice as once by itself.

    Raises:
        Unavailable: The database is away or busy; those before are taken.
    """
    with autocommit(replica.engine) as connection:
        once.replay(connection)
    results = _report_each(replica, reports, principal)
    answer = Verdicts(results=[item.to_problem() if isinstance(item, Refused) else item for item in results])
    if not any(isinstance(item, Unavailable) for item in results):
        with once.transaction(replica.engine) as connection:
            once.keep(connection, answer)
    return answer


def _report_each(replica: Replica, reports: Sequence[LeaseReport], principal: Principal) -> list[Verdict | Refused]:
    results: list[Verdict | Refused] = []
    for measured in reports:
        try:
            plain = Report(step=measured.step, metrics=measured.metrics)
            results.append(report(replica, reference(measured.lease, measured.fence, principal), plain))
        except Refused as refused:
            results.append(refused)
            _give_up(results)
    return results


def _give_up(results: Sequence[Verdict | Refused]) -> None:
    """Refuse the whole request if it waits for too much: one after another, each would be waited for as long.

    Raises:
        Unavailable: The database is away, or somebody holds several of the leases.
    """
    last = results[-1]
    held = sum(isinstance(result, Held) for result in results)
    if isinstance(last, Unavailable) and (held > _HELD or not isinstance(last, Held)):
        raise last


def _answer_on_record(
    replica: Replica, connection: sa.Connection, lease: Reference, row: LeaseRow, measured: Report
) -> Verdict | None:
    """Return the answer to a report that changes nothing; None if it is a new one."""
    is_same = row.report is not None and row.report.metrics == measured.metrics
    if row.report and is_same and row.outcome not in {None, Outcome.LOST}:
        stored = Judgement(row.report.verdict, row.report.reason)
        return verdict_of(stored, row.expires_at, is_recorded=True, lease_seconds=replica.lease_seconds)
    if not row.is_live:
        raise not_live(row)
    if row.report and not is_same:
        raise StepConflict(f"step {measured.step} is on record with other metrics: {json.dumps(row.report.metrics)}")
    if row.report is None and measured.step <= row.last_step:
        raise StepConflict(f"step {measured.step} is behind the last one reported, {row.last_step}")
    if row.report is None and row.stop_reason is None:
        return None
    return _renewed(replica, connection, lease, row)


def _on_record(
    replica: Replica, connection: sa.Connection, lease: Reference, row: LeaseRow, measured: Report
) -> tuple[StudyMemory, Progress]:
    """Return what a new report is judged on, as it is in the database."""
    study = _study(replica, connection, row)
    if study.spec.stopping.metric not in measured.metrics:
        raise missing([study.spec.stopping.metric])
    judging.learn(connection, study, step=measured.step, ended=row.study_finished)
    return study, judging.progress_on_record(connection, study, lease.lease_id, row)


def _renewed(replica: Replica, connection: sa.Connection, lease: Reference, row: LeaseRow) -> Verdict:
    """Renew the lease; return the verdict on record, or the stop that came before this report."""
    renewed = leases.renew(connection, lease, lease_seconds=replica.lease_seconds)
    if renewed is None:
        raise not_live(look(connection, lease))
    stored = Judgement(row.report.verdict, row.report.reason) if row.report else as_told(row.stop_reason)
    return verdict_of(stored, renewed[0], is_recorded=row.report is not None, lease_seconds=replica.lease_seconds)


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
    once: Once,
) -> Verdict | None:
    """Judge and write, in one statement; None, with nothing written, if there is more to it than `before` knows."""
    if measured.step <= before.last_step or study.spec.stopping.metric not in measured.metrics:
        return None
    if not judging.is_enough(study, before):
        return None
    trial = judging.standing(study, before, measured)
    judgement = judging.judge(replica.engine, study, trial)
    looks = pruning.looks_at_ended(study.spec.pruner, measured.step)
    with study.crowd.joined(), once.statement(replica.engine) as connection:
        expiry = leases.record(
            connection,
            lease,
            _new(trial, measured, judgement),
            known_step=before.last_step,
            known_finished=known_finished if looks else None,
            lease_seconds=replica.lease_seconds,
        )
        if expiry is None:
            return None
        verdict = verdict_of(judgement, expiry, is_recorded=True, lease_seconds=replica.lease_seconds)
        once.keep(connection, verdict)
    replica.memory.note(lease.lease_id, judging.progress_after(study, trial, judgement))
    return verdict


def _new(trial: Standing, measured: Report, judgement: Judgement) -> NewReport:
    return NewReport(
        step=measured.step,
        metrics=measured.metrics,
        value=trial.value,
        best=trial.best,
        verdict=judgement.decision,
        reason=judgement.reason,
        rungs=judgement.rungs,
    )
