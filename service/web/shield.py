"""What answers say of themselves: nobody keeps one, and those to a browser load nothing from elsewhere."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.origins import OF_PROGRAMS

Header = tuple[bytes, bytes]
"""As it is sent, its name in small letters: each answer pays for these, reports too."""

# Also to programs: pages ask for the same with the cookie of a session, and unlike the header Authorization that keeps
# no cache from giving the answer to others (RFC 9111, 3.5).
_TO_ALL = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))

_POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    b" connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_TO_BROWSERS = (
    *_TO_ALL,
    (b"content-security-policy", _POLICY),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)


class Shield:
    """Gives every answer these headers, one to a program the fewer; a route that sets one itself knows better."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = _TO_ALL if scope["path"].startswith(OF_PROGRAMS) else _TO_BROWSERS

        async def shielding(message: Message) -> None:
            if message["type"] == "http.response.start":
                shield(message["headers"], wanted)
            await send(message)

        await self._app(scope, receive, shielding)


def shield(headers: list[Header], wanted: Iterable[Header] = _TO_BROWSERS) -> None:
    """Add the headers that an answer has not; by default those of one to a browser."""
    given = {name for name, _ in headers}
    headers.extend(header for header in wanted if header[0] not in given)
