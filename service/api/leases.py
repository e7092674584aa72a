"""/v1/leases and /v1/reports: the worker's protocol."""

import math
import time

from fastapi import APIRouter, Request

from service import asks, leases, reports
from service.api.dependencies import LeaseDep, ReplicaDep
from service.api.problems import problems
from service.api.waiting import until
from trimtab import errors
from trimtab.protocol import Ask, LeaseReports, Leases, Report, Tell, Told, Verdict, Verdicts
from trimtab.states import NoLease

router = APIRouter(prefix="/v1", tags=["leases"])

_ON_A_LEASE = problems(errors.LeaseNotFound, errors.LeaseLost, errors.LeaseEnded, errors.StudyDeleted)
_ON_A_REPORT = problems(
    errors.LeaseNotFound, errors.LeaseLost, errors.LeaseEnded, errors.StepConflict, errors.StudyDeleted
)


@router.post("/leases", responses=problems(errors.StudyNotFound))
async def ask(request: Request, wanted: Ask, replica: ReplicaDep) -> Leases:
    """Ask for trials. Empty after `wait` seconds if there is nothing to do; `reason` says why."""
    # A worker that waits is noted now and then, and not at each look: every note is a commit.
    noted_at = -math.inf

    def attempt() -> Leases:
        nonlocal noted_at
        is_due = time.monotonic() - noted_at > replica.lease_seconds / 3
        if is_due:
            noted_at = time.monotonic()
        return asks.ask(replica, wanted, is_noted=not is_due)

    def is_news(found: Leases) -> bool:
        return bool(found.leases) or found.reason is NoLease.STUDY_ENDED

    return await until(request, replica.offers, attempt, is_news, seconds=wanted.wait)


@router.post("/leases/{lease_id}/reports", responses=_ON_A_REPORT)
def report(lease: LeaseDep, measured: Report, replica: ReplicaDep) -> Verdict:
    """Report a measurement, renew the lease and hear whether to go on."""
    return reports.report(replica, lease, measured)


@router.post("/leases/{lease_id}/heartbeat", responses=_ON_A_LEASE)
def heartbeat(lease: LeaseDep, replica: ReplicaDep) -> Verdict:
    """Renew the lease between reports."""
    return leases.heartbeat(replica, lease)


@router.put("/leases/{lease_id}/result", responses=_ON_A_LEASE)
def tell(lease: LeaseDep, told: Tell, replica: ReplicaDep) -> Told:
    """Tell how the lease ended."""
    return leases.tell(replica, lease, told)


@router.post("/reports")
def report_many(measured: LeaseReports, replica: ReplicaDep) -> Verdicts:
    """Report on many leases; the answers are in the order of the reports."""
    found = reports.report_many(replica, measured.reports)
    return Verdicts(results=[item.to_problem() if isinstance(item, errors.Refused) else item for item in found])
