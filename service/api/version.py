"""/v1/version."""

from fastapi import APIRouter

from service.api.dependencies import ReplicaDep
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from service.versions import versions
from trimtab.protocol import Version

router = APIRouter(prefix="/v1/version", tags=["health"], route_class=ScopedRoute)


@router.get("")
@needs(Scope.VERSION)
def read_version(replica: ReplicaDep) -> Version:
    """Read the versions of the service, of its schema and of its protocol."""
    return versions(replica)
