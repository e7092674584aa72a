"""/v1/leases and /v1/reports: the worker's protocol."""

import math
import time

from fastapi import APIRouter, Request

from service import asks, leases, reports
from service.api.dependencies import DEAD, LeaseDep, PrincipalDep, ReplicaDep
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.api.waiting import until
from service.principals import Scope
from trimtab import errors
from trimtab.protocol import Ask, LeaseReports, Leases, Report, Tell, Told, Verdict, Verdicts
from trimtab.states import NoLease

router = APIRouter(prefix="/v1", tags=["leases"], route_class=ScopedRoute)

_ON_A_LEASE = problems(*DEAD, errors.InProgress)
_ON_A_REPORT = problems(*DEAD, errors.InProgress, errors.StepConflict)


@router.post("/leases", responses=problems(errors.StudyNotFound, errors.InProgress))
@needs(Scope.LEASES)
async def ask(request: Request, wanted: Ask, replica: ReplicaDep, principal: PrincipalDep, once: OnceDep) -> Leases:
    """Ask for trials. Empty after `wait` seconds if there is nothing to do; `reason` says why."""
    # A worker that waits is noted now and then, and not at each look: every note is a commit.
    noted_at = -math.inf

    def attempt() -> Leases:
        nonlocal noted_at
        is_due = time.monotonic() - noted_at > replica.lease_seconds / 3
        if is_due:
            noted_at = time.monotonic()
        return asks.ask(replica, wanted, principal=principal, is_noted=not is_due, once=once)

    def is_news(found: Leases) -> bool:
        return bool(found.leases) or found.reason is NoLease.STUDY_ENDED

    return await until(request, replica.offers, attempt, is_news, seconds=wanted.wait)


@router.post("/leases/{lease_id}/reports", responses=_ON_A_REPORT)
@needs(Scope.LEASES)
def report(lease: LeaseDep, measured: Report, replica: ReplicaDep, once: OnceDep) -> Verdict:
    """Report a measurement, renew the lease and hear whether to go on."""
    return reports.report(replica, lease, measured, once=once)


@router.post("/leases/{lease_id}/heartbeat", responses=_ON_A_LEASE)
@needs(Scope.LEASES)
def heartbeat(lease: LeaseDep, replica: ReplicaDep, once: OnceDep) -> Verdict:
    """Renew the lease between reports."""
    return leases.heartbeat(replica, lease, once=once)


@router.put("/leases/{lease_id}/result", responses=problems(*DEAD, errors.InProgress, errors.Conflict))
@needs(Scope.LEASES)
def tell(lease: LeaseDep, told: Tell, replica: ReplicaDep, once: OnceDep) -> Told:
    """Tell how the lease ended."""
    return leases.tell(replica, lease, told, once=once)


@router.post("/reports", responses=problems(errors.InProgress))
@needs(Scope.LEASES)
def report_many(measured: LeaseReports, replica: ReplicaDep, principal: PrincipalDep, once: OnceDep) -> Verdicts:
    """Report on many leases; the answers are in the order of the reports."""
    return reports.report_many(replica, measured.reports, principal=principal, once=once)
