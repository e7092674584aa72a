"""What routes are given: the replica, the caller's right to call, a lease's name and fence."""

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service import leases
from service.replica import Replica
from service.storage.leases import Reference
from service.tokens import Tokens
from trimtab.errors import Unauthorized
from trimtab.message import StudyName as Name
from trimtab.protocol import MAX_WAIT_SECONDS

_bearer = HTTPBearer(auto_error=False, description="The token of TRIMTAB_ADMIN_TOKEN, or of TRIMTAB_DATA_DIR/token.")


async def _replica(request: Request) -> Replica:
    replica: Replica = request.app.state.replica
    return replica


async def authorized(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> None:
    """Let nobody pass without the token.

    Raises:
        Unauthorized: It is missing or wrong.
    """
    tokens: Tokens = request.app.state.tokens
    if credentials is None:
        raise Unauthorized("no token: send Authorization: Bearer <token>")
    if not tokens.is_admin(credentials.credentials):
        raise Unauthorized("the token is not valid")


async def _reference(
    lease_id: Annotated[str, Path(max_length=40)],
    trimtab_fence: Annotated[int, Header(ge=1, lt=2**31, description="The lease's fence.")],
) -> Reference:
    return leases.reference(lease_id, trimtab_fence)


ReplicaDep = Annotated[Replica, Depends(_replica)]
LeaseDep = Annotated[Reference, Depends(_reference)]
StudyName = Annotated[Name, Path(description="The name of a study.")]
Cursor = Annotated[str | None, Query(max_length=200, description="Where the page begins: `next` of the one before.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Items on the page at most.")]
Wait = Annotated[float, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to wait for news.")]
