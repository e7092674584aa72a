"""Names each request, and notes what became of it and how long it took."""

import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.meters import Meters
from trimtab.logs import request_id

HEADER = "X-Request-Id"

_WAITED = "trimtab.waited_seconds"
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_UNMATCHED = "unmatched"

_log = logging.getLogger(__name__)


class Watched:
    """The application, watched.

    Args:
        app: What serves.
        meters: Where requests are noted.
    """

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        name = _name(Headers(scope=scope).get(HEADER, ""))
        # Never reset: each request is served in a context of its own, in which errors are answered after this returns.
        request_id.set(name)
        header = (b"x-request-id", name.encode())
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._note(scope, message["status"], began)
                message["headers"] = [*message["headers"], header]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if not has_begun:
                self._note(scope, 500, began)

    def _note(self, scope: Scope, status: int, began: float) -> None:
        seconds = time.perf_counter() - began - scope.get(_WAITED, 0.0)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._meters.answered(method, _route(scope), f"{status // 100}xx", seconds=seconds)
        # Not the path: what a caller makes up may be a secret that came to the wrong place.
        said = {"method": method, "route": _route(scope), "status": status, "seconds": round(seconds, 4)}
        _log.debug("%(method)s %(route)s: %(status)d after %(seconds)s s", said)


@contextmanager
def waited(scope: Scope) -> Iterator[None]:
    """Wait within, for what the caller asked to wait for: it is nobody's slowness."""
    began = time.perf_counter()
    try:
        yield
    finally:
        scope[_WAITED] = scope.get(_WAITED, 0.0) + time.perf_counter() - began


def _route(scope: Scope) -> str:
    """Return the route of a request as it is declared; one word for all that have none, or are turned away before."""
    route: Any = scope.get("route")
    return getattr(route, "path", _UNMATCHED)


def _name(given: str) -> str:
    """Return the name that a request was given, if it can be one, or a new one."""
    return given if _NAME.fullmatch(given) else secrets.token_hex(8)
