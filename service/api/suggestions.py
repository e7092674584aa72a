"""/v1/leases/{lease_id}/suggestions and /attributes: what a running trial asks for, and what it leaves on record."""

from typing import Annotated

from fastapi import APIRouter, Path

from service import attributes, suggestions
from service.api.dependencies import DEAD, LeaseDep, ReplicaDep
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from trimtab import errors
from trimtab.suggestions import Attribute, AttributeKey, Suggested, Wanted

router = APIRouter(prefix="/v1/leases", tags=["leases"], route_class=ScopedRoute)

Key = Annotated[AttributeKey, Path(description="The name of the attribute.")]


@router.post("/{lease_id}/suggestions", responses=problems(*DEAD, errors.InProgress, errors.Conflict))
@needs(Scope.LEASES)
def suggest(lease: LeaseDep, wanted: Wanted, replica: ReplicaDep, once: OnceDep) -> Suggested:
    """Get a value of a parameter of a study without a space, and renew the lease. Asked again, the same value."""
    return suggestions.suggest(replica, lease, wanted, once=once)


# A key may have slashes in it.
@router.put("/{lease_id}/attributes/{key:path}", responses=problems(*DEAD, errors.InProgress))
@needs(Scope.LEASES)
def put_attribute(lease: LeaseDep, key: Key, attribute: Attribute, replica: ReplicaDep, once: OnceDep) -> Attribute:
    """Leave something on record with the trial, any JSON, in place of what was there; renew the lease."""
    return attributes.put(replica, lease, key, attribute, once=once)
