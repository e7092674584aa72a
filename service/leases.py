"""Heartbeat and tell: a lease lives on, a lease ends. Each is the same twice as once."""

import json
import logging
from collections.abc import Sequence

import sqlalchemy as sa

from service import lifecycle, points
from service.calls import after_outage, as_told, crowd, gone, look, missing, not_live, verdict_of
from service.once import UNKEYED, Once
from service.replica import Replica
from service.settling import settle
from service.storage import lease_ends, leases, locks, models
from service.storage.leases import LeaseRow, Reference
from trimtab.errors import Conflict, LeaseEnded, Refused
from trimtab.protocol import Tell, Told, Verdict
from trimtab.spec import StudySpec
from trimtab.states import Outcome, Purpose

_TEST_ERROR = "test_error"

_log = logging.getLogger(__name__)


@after_outage
def heartbeat(replica: Replica, lease: Reference, *, once: Once = UNKEYED) -> Verdict:
    """Renew the lease and say whether the trial was told to stop.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Unavailable: As for a report.
    """
    with crowd(replica, lease), once.statement(replica.engine) as connection:
        renewed = leases.renew(connection, lease, lease_seconds=replica.lease_seconds)
        if renewed is None:
            raise not_live(look(connection, lease))
        expiry, stop_reason = renewed
        judged = as_told(stop_reason)
        verdict = verdict_of(judged, expiry, is_recorded=False, lease_seconds=replica.lease_seconds)
        once.keep(connection, verdict)
    return verdict


@after_outage
def tell(replica: Replica, lease: Reference, told: Tell, *, once: Once = UNKEYED) -> Told:
    """End a lease as its worker says, and with it the trial unless that goes back to the queue.

    Lock the study, end the lease (guarded), end the trial: one transaction.

    Raises:
        LeaseNotFound, LeaseLost, StudyDeleted, Unavailable: As for a report.
        LeaseEnded: Another tell has ended it, or it was over at a limit.
        Invalid: `complete` without a metric that is optimised or bound; of a final model, without its `test_error`.
        Conflict: `complete` of a final model that was not sent under this lease.
    """
    with crowd(replica, lease), once.transaction(replica.engine) as connection:
        study = locks.lock_study(connection, lease.lease_id)
        known = replica.memory.study(connection, study.study_id) if study else None
        if study is None or known is None:
            raise gone(connection, lease.lease_id)
        if told.outcome is Outcome.COMPLETE and (lacking := known.spec.lacking(told.metrics)):
            raise _incomplete(look(connection, lease), lacking)
        if told.outcome is Outcome.COMPLETE and known.purpose is Purpose.FINAL:
            _check_final(connection, lease, told)
        outcome = lifecycle.outcome_of(told, known.spec)
        closed = lease_ends.close_told(connection, lease, told, outcome=outcome)
        if closed is None:
            return _told_before(look(connection, lease), told, known.spec)
        ending = lifecycle.ending_by_tell(told, closed, known.spec)
        is_offer = settle(connection, study, closed.trial_id, ending, spec=known.spec, is_lost=False)
        is_stopped = closed.stop_reason is not None
        answer = _told(closed.number, told, known.spec, is_stopped=is_stopped)
        once.keep(connection, answer)
    replica.meters.lease_ended(outcome, answer.state)
    said = {
        "lease": lease.lease_id,
        "trial": answer.trial,
        "study": answer.study,
        "outcome": outcome,
        "state": answer.state,
    }
    _log.info("lease %(lease)s on trial %(trial)d of %(study)s: %(outcome)s: %(state)s", said)
    replica.memory.forget(lease.lease_id)
    known.stock.ended(lease.lease_id)
    points.prepare(replica, known)
    replica.changes.announce()
    if is_offer:
        replica.offers.announce()
    return answer


def _incomplete(row: LeaseRow, metrics: Sequence[str]) -> Refused:
    """Return what is said of a tell without metrics that it needs: of the lease first, if it is not live."""
    return missing(metrics) if row.is_live else not_live(row)


def _check_final(connection: sa.Connection, lease: Reference, told: Tell) -> None:
    """Refuse a final model that is none: the reading of the test set is spent on it."""
    if _TEST_ERROR not in told.metrics:
        raise _incomplete(look(connection, lease), [_TEST_ERROR])
    if not models.is_sent(connection, lease):
        row = look(connection, lease)
        raise Conflict("the model was not sent under this lease: send it first") if row.is_live else not_live(row)


def _told_before(row: LeaseRow, told: Tell, spec: StudySpec) -> Told:
    if row.told is None:
        raise not_live(row)
    if Tell.model_validate_json(json.dumps(row.told)) != told:
        raise LeaseEnded(f"this lease on trial {row.number} of {row.study!r} was ended by another tell: {row.outcome}")
    return _told(row.number, told, spec, is_stopped=row.stop_reason is not None)


def _told(number: int, told: Tell, spec: StudySpec, *, is_stopped: bool) -> Told:
    outcome = lifecycle.outcome_of(told, spec)
    return Told(
        study=spec.name, trial=number, outcome=outcome, state=lifecycle.state_of(outcome, is_stopped=is_stopped)
    )
