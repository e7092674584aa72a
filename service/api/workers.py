"""/v1/workers."""

from fastapi import APIRouter

from service import workers
from service.api.dependencies import Cursor, Limit, ReplicaDep
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from trimtab.protocol import Page, Worker

router = APIRouter(prefix="/v1/workers", tags=["workers"], route_class=ScopedRoute)


@router.get("")
@needs(Scope.READ)
def list_workers(replica: ReplicaDep, cursor: Cursor = None, limit: Limit = 100) -> Page[Worker]:
    """List the workers: who is alive, on what device, doing which trials, since when."""
    return workers.page(replica, cursor=cursor, limit=limit)
