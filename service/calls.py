"""What report, heartbeat and tell have in common: the lease that is called on, and what is said of one that is dead."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import sqlalchemy as sa

from service import liveness, pruning
from service.database import autocommit
from service.memory import Progress
from service.principals import Principal
from service.pruning import Judgement
from service.replica import Replica
from service.storage import leases
from service.storage.leases import LeaseRow, Reference
from trimtab.errors import Forbidden, Invalid, LeaseEnded, LeaseLost, LeaseNotFound, Refused, StudyDeleted, Unavailable
from trimtab.protocol import FieldProblem, Verdict
from trimtab.states import Decision, Outcome

_LEASE_ID = re.compile(r"[1-9][0-9]{0,17}")

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Call = Callable[Concatenate[Replica, Arguments], Answer]


class Away(Unavailable):
    """A lease ran out while nobody was there to renew it."""


def after_outage(call: Call[Arguments, Answer]) -> Call[Arguments, Answer]:
    """Let `call`, where it meets a lease that ran out in an outage, extend the leases and try once more.

    A worker may be back before any replica has noticed that it was away.
    """

    @wraps(call)
    def tried(replica: Replica, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        try:
            return call(replica, *args, **kwargs)
        except Away:
            replica.meters.was_away(liveness.renew(replica.engine))
            return call(replica, *args, **kwargs)

    return tried


def reference(lease: str, fence: int, principal: Principal) -> Reference:
    """Return what is meant by a lease's id on the wire.

    Raises:
        LeaseNotFound: No lease was ever called that.
    """
    if not _LEASE_ID.fullmatch(lease):
        raise LeaseNotFound(f"there is no lease {lease[:40]!r}")
    return Reference(int(lease), fence, principal.bound_to)


def crowd(replica: Replica, lease: Reference) -> AbstractContextManager[None]:
    """Return the place of a call among those on the same study; none where there is no such lease.

    Raises:
        Unavailable: The database is away or busy.
    """
    if known := replica.memory.known(lease.lease_id):
        return known[0].crowd.joined()
    with autocommit(replica.engine) as connection:
        row = leases.look(connection, lease.lease_id)
        study = replica.memory.study(connection, row.study_id) if row else None
    if row and row.outcome is None:
        replica.memory.note(lease.lease_id, Progress(row.study_id, row.number, row.last_step, row.best))
    return study.crowd.joined() if study else nullcontext()


def look(connection: sa.Connection, lease: Reference, *, step: int = 0) -> LeaseRow:
    """Return the lease, with its report at `step` if there is one.

    Raises:
        LeaseNotFound, StudyDeleted, LeaseLost, Forbidden: As for a report.
    """
    row = leases.look(connection, lease.lease_id, step=step)
    if row is None:
        raise gone(connection, lease.lease_id)
    if lease.token_id not in {None, row.token_id}:
        raise Forbidden("this lease was given to another token")
    if row.fence != lease.fence:
        raise LeaseLost(f"the fence of this lease is not {lease.fence}")
    return row


def gone(connection: sa.Connection, lease_id: int) -> Refused:
    """Return what is said of a lease that is not there."""
    study = leases.study_of_deleted(connection, lease_id)
    if study is None:
        return LeaseNotFound(f"there is no lease '{lease_id}'")
    return StudyDeleted(f"study {study!r} was deleted")


def not_live(row: LeaseRow) -> Refused:
    """Return what is said of a lease that has ended or run out."""
    if row.outcome is None and (row.is_live or not row.is_watched):
        return Away("the service was away and finds its leases again; try again", retry_after=1)
    if row.outcome is None or row.outcome is Outcome.LOST:
        return LeaseLost(f"this lease on trial {row.number} of {row.study!r} ran out at {row.expires_at.isoformat()}")
    return LeaseEnded(f"this lease on trial {row.number} of {row.study!r} was ended: {row.outcome}")


def as_told(stop_reason: str | None) -> Judgement:
    """Return what a trial was told last."""
    return Judgement(Decision.STOP, stop_reason) if stop_reason else pruning.GO_ON


def verdict_of(judgement: Judgement, expiry: datetime, *, is_recorded: bool, lease_seconds: float) -> Verdict:
    """Return a judgement as it is answered."""
    return Verdict(
        verdict=judgement.decision,
        reason=judgement.reason,
        recorded=is_recorded,
        expires_in=lease_seconds,
        expires_at=expiry,
    )


def missing(metrics: Sequence[str]) -> Invalid:
    """Return what is said of figures without those that the study goes by."""
    problems = [
        FieldProblem(field=f"metrics.{metric}", message="is missing: the study goes by it") for metric in metrics
    ]
    return Invalid("a metric is missing", errors=problems)
