"""Bounds what a request may cost before anything looks into it."""

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import refuse
from service.settings import MAX_BODY_BYTES
from trimtab.errors import BodyTooLarge

SIGN_IN_BYTES = 2**14
"""Of what comes without a token: ten times what a token and the page that is wanted take."""

_FILES = re.compile(r"/v1/(leases/[^/]+/(checkpoint|model)|datasets/[^/]+)")
"""Whole paths: the key of an attribute, which ends its path, may be called like any part of these."""


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
            return
        limit = SIGN_IN_BYTES if scope["path"] == "/sign-in" else MAX_BODY_BYTES
        if _declared(scope) > limit:
            await refuse(Request(scope), BodyTooLarge(_said(limit)))(scope, receive, send)
        else:
            await self._app(scope, _counted(receive, limit), send)


def _said(limit: int) -> str:
    return f"the body is over {limit} bytes"


def _is_file(scope: Scope) -> bool:
    """Return whether the body goes through to a file, which has a limit of its own."""
    return scope["method"] == "PUT" and _FILES.fullmatch(scope["path"]) is not None


def _declared(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isdecimal() else 0


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            # The one kind of error that FastAPI lets through while it reads a body.
            raise HTTPException(BodyTooLarge.status, _said(limit))
        return message

    return counted
