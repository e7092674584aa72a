"""/v1/tokens."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, status
from starlette.concurrency import run_in_threadpool

from service import access
from service.api.dependencies import Limit, NumberCursor, PrincipalDep, ReplicaDep
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from service.recognition import BELIEVED_SECONDS
from trimtab import errors
from trimtab.protocol import MadeToken, NewToken, Page, Token

router = APIRouter(prefix="/v1/tokens", tags=["tokens"], route_class=ScopedRoute)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(errors.InProgress, errors.TokenAlreadyShown))
@needs(Scope.TOKENS)
def make_token(wanted: NewToken, replica: ReplicaDep, principal: PrincipalDep, once: OnceDep) -> MadeToken:
    """Make a token. This answer alone shows it."""
    return access.make(replica.engine, wanted, by=principal, once=once)


@router.get("")
@needs(Scope.TOKENS)
def list_tokens(replica: ReplicaDep, cursor: NumberCursor = None, limit: Limit = 100) -> Page[Token]:
    """List the tokens, the oldest first, revoked ones among them."""
    return access.page(replica.engine, cursor=cursor, limit=limit)


@router.delete("/{token_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(errors.TokenNotFound))
@needs(Scope.TOKENS)
async def revoke_token(
    token_id: Annotated[int, Path(ge=1, lt=2**63)], replica: ReplicaDep, principal: PrincipalDep
) -> None:
    """Revoke a token. When this is answered no replica takes it any more. Twice is the same as once."""
    await run_in_threadpool(access.revoke, replica.engine, token_id, by=principal)
    await asyncio.sleep(BELIEVED_SECONDS)
