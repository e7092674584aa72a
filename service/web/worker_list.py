"""/workers: who is alive, on what device, what runs there, and what each did in the last day."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response

from service import workers
from service.api.dependencies import ReplicaDep
from service.api.scopes import needs
from service.principals import Scope
from service.replica import Replica
from service.web import fragments
from service.web.pages import PageRoute, part, render
from service.web.timelines import timeline
from trimtab.protocol import Worker

DAY_HOLDS_SECONDS = 4.0
"""Less than a page waits before it asks for the day again: whoever is gone has lost trials at once. It takes some 40 ms
of PostgreSQL at most."""

router = APIRouter(route_class=PageRoute)


@router.get("/workers")
@needs(Scope.READ)
def worker_list(request: Request, replica: ReplicaDep) -> Response:
    """Show the workers, and their day."""
    lately = workers.lately(replica)
    return render(request, "worker_list.html", lately=lately, **_day(replica, lately.workers))


@router.get("/fragments/workers")
@needs(Scope.READ)
def worker_rows(request: Request, replica: ReplicaDep) -> Response:
    """Answer who works, on what, as that page shows it."""
    return fragments.answer(
        request, "workers", lambda: part("workers/list.html", lately=workers.lately(replica), now=replica.clock.now())
    )


@router.get("/fragments/worker-days")
@needs(Scope.READ)
def worker_days(request: Request, replica: ReplicaDep) -> Response:
    """Answer what the workers did in the last day, as that page shows it."""
    return fragments.answer(
        request,
        "worker days",
        lambda: part("workers/days.html", **_day(replica, workers.lately(replica).workers)),
        holds_seconds=DAY_HOLDS_SECONDS,
    )


def _day(replica: Replica, shown: Sequence[Worker]) -> dict[str, Any]:
    """Return what the template of the day gets."""
    day = workers.day(replica, shown)
    now = replica.clock.now()
    timelines = [
        (worker, timeline(worker, day.stretches.get(worker.name), now=now, seconds=workers.DAY_SECONDS))
        for worker in shown
    ]
    return {"timelines": timelines, "is_cut": day.is_cut, "now": now}
