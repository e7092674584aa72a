"""Bounds what a request may cost before anything looks into it."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import response
from service.settings import MAX_BODY_BYTES
from trimtab.errors import BodyTooLarge, Refused


class BodyLimit:
    """Refuses a body over the limit, whether it says its length or not; at most that much is ever held."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            _check_length(scope)
            await self._app(scope, _counted(receive), send)
        except BodyTooLarge as refused:
            await response(refused)(scope, receive, send)


def _check_length(scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > MAX_BODY_BYTES:
            raise _too_large()


def _counted(receive: Receive) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY_BYTES:
            raise _too_large()
        return message

    return counted


def _too_large() -> Refused:
    return BodyTooLarge(f"the body is over {MAX_BODY_BYTES} bytes")
