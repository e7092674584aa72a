"""Bounds what a request may cost before anything looks into it."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import response, too_large
from service.settings import MAX_BODY_BYTES
from trimtab.errors import BodyTooLarge


class BodyLimit:
    """Refuses a body over the limit, whether it says its length or not; no more than that is ever held.

    Not FastAPI's `max_body_size`, whose refusal of a declared length is no problem+json.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or _is_file(scope):
            await self._app(scope, receive, send)
        elif _declared(scope) > MAX_BODY_BYTES:
            await response(too_large())(scope, receive, send)
        else:
            await self._app(scope, _counted(receive), send)


def _is_file(scope: Scope) -> bool:
    """Return whether the body goes through to a file, which has a limit of its own."""
    path = scope["path"]
    return bool(scope["method"] == "PUT" and (path.endswith(("/checkpoint", "/model")) or "/v1/datasets/" in path))


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _counted(receive: Receive) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY_BYTES:
            # The one kind of error that FastAPI lets through while it reads a body.
            raise HTTPException(BodyTooLarge.status)
        return message

    return counted
