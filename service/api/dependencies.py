"""What routes are given: who calls, the replica, a lease's name and fence, what lists take."""

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPBearer

from service import calls
from service.principals import Principal
from service.replica import Replica
from service.storage.leases import Reference
from trimtab import errors
from trimtab.message import StudyName as Name
from trimtab.protocol import MAX_WAIT_SECONDS

# For the description of the API only: service.api.gate asks for the token, before the body is read.
bearer = HTTPBearer(auto_error=False, description="A token. Its kind says what it may do.")


async def _replica(request: Request) -> Replica:
    replica: Replica = request.app.state.replica
    return replica


async def _reference(
    lease_id: Annotated[str, Path(max_length=40)],
    fence: Annotated[int, Header(alias="Trimtab-Fence", ge=1, lt=2**31, description="The lease's fence.")],
    principal: "PrincipalDep",
) -> Reference:
    return calls.reference(lease_id, fence, principal)


async def _principal(request: Request) -> Principal:
    principal: Principal = request.scope["principal"]
    return principal


DEAD = (errors.LeaseNotFound, errors.LeaseLost, errors.LeaseEnded, errors.StudyDeleted)
"""What any call on a lease may hear, where it is not live."""

PrincipalDep = Annotated[Principal, Depends(_principal)]
ReplicaDep = Annotated[Replica, Depends(_replica)]
LeaseDep = Annotated[Reference, Depends(_reference)]
StudyName = Annotated[Name, Path(description="The name of a study.")]
Cursor = Annotated[
    str | None,
    Query(pattern="^[!-~]{1,200}$", description="Where the page begins: `next` of the one before."),
]
NumberCursor = Annotated[
    str | None,
    Query(pattern="^[0-9]{1,18}$", description="Where the page begins: `next` of the one before."),
]
Limit = Annotated[int, Query(ge=1, le=1000, description="Items on the page at most.")]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for news.")]
