"""Idempotency-Key: the same request again gets the answer that the first one got."""

from hashlib import sha256
from typing import Annotated

from fastapi import Depends, FastAPI, Header, Request, Response
from starlette.routing import Route

from service.once import UNKEYED, Once, Replayed
from service.principals import Principal
from service.storage.keys import Key

REPLAYED = "Idempotent-Replayed"

_FENCE = "Trimtab-Fence"


GivenKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,255}$",
        description="Names this request: sent again within 24 hours, it gets the same answer and has no effect.",
    ),
]


async def _once(request: Request, given: GivenKey = None) -> Once:
    return once_of(request, given, await request.body())


async def once_by_address(request: Request, given: GivenKey = None) -> Once:
    """Return the request by its key where the address says what the body is, which may be too large to be held."""
    return once_of(request, given, b"")


def once_of(request: Request, key: str | None, body: bytes) -> Once:
    """Return the request by its key.

    Args:
        request: The request.
        key: As it was given.
        body: Or what stands for it, such as its hash.
    """
    return Once(_key(request, key, body)) if key else UNKEYED


OnceDep = Annotated[Once, Depends(_once)]


def install(app: FastAPI) -> None:
    """Answer again what was kept."""
    app.add_exception_handler(Replayed, _replayed)


async def _replayed(_: Request, replayed: Exception) -> Response:
    assert isinstance(replayed, Replayed)
    kept = replayed.kept
    headers = {**kept.headers, REPLAYED: "true"}
    return Response(kept.body, status_code=kept.status, media_type="application/json", headers=headers)


def _key(request: Request, key: str, body: bytes) -> Key:
    route: Route = request.scope["route"]
    principal: Principal = request.scope["principal"]
    asked = (request.url.path, request.url.query, request.headers.get(_FENCE, ""))
    digest = sha256("\n".join(asked).encode() + b"\n" + body)
    return Key(principal.token_id or 0, f"{request.method} {route.path}", key, digest.digest())
