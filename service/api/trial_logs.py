"""Logs of trials: what their trainings write."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from service import trial_logs
from service.api.dependencies import LeaseDep, Limit, ReplicaDep, StudyName, Wait
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.api.studies import TrialNumber
from service.api.waiting import until
from service.principals import Scope
from service.trial_logs import Asked
from trimtab import errors
from trimtab.protocol import Page
from trimtab.trial_logs import FIRST_LINES, LAST_LINES, Logged, LogLine, NewLines

LineCursor = Annotated[
    str | None,
    Query(pattern="^[0-9]{1,10}-(-1|[0-9]{1,10})$", description="Where the page begins: `next` of the one before."),
]

router = APIRouter(prefix="/v1", tags=["logs"], route_class=ScopedRoute)

_ON_A_LEASE = problems(
    errors.LeaseNotFound, errors.LeaseLost, errors.LeaseEnded, errors.StudyDeleted, errors.InProgress
)


@router.post("/leases/{lease_id}/logs", responses=_ON_A_LEASE)
@needs(Scope.LEASES)
def keep_lines(lease: LeaseDep, written: NewLines, replica: ReplicaDep, once: OnceDep) -> Logged:
    """Record what the training wrote. The lease is not renewed."""
    return trial_logs.keep(replica, lease, written, once=once)


async def _asked(
    name: StudyName,
    number: TrialNumber,
    attempt: Annotated[int | None, Query(ge=1, lt=2**31, description="Only of this attempt.")] = None,
    tail: Annotated[
        int | None,
        Query(ge=0, le=FIRST_LINES + LAST_LINES, description="Begin so many lines before the end; a cursor beats it."),
    ] = None,
    cursor: LineCursor = None,
    limit: Limit = 100,
    wait: Wait = 0.0,
) -> Asked:
    return Asked(name, number, attempt, tail, cursor, limit, is_followed=wait > 0)


@router.get("/studies/{name}/trials/{number}/logs", responses=problems(errors.StudyNotFound, errors.TrialNotFound))
@needs(Scope.READ)
async def list_lines(
    request: Request, replica: ReplicaDep, asked: Annotated[Asked, Depends(_asked)], wait: Wait = 0.0
) -> Page[LogLine]:
    """List what the trainings of a trial wrote, in its order.

    With `wait`: answers when there are lines, or after so many seconds; `next` is null when there will be no more.
    """

    def lines() -> Page[LogLine]:
        nonlocal asked
        found = trial_logs.page(replica, asked)
        # What was the end at the first look is no longer the end at the next one.
        asked = replace(asked, cursor=found.next)
        return found

    return await until(request, replica.changes, lines, lambda page: bool(page.items) or not page.next, seconds=wait)
