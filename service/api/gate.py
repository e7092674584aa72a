"""Lets nobody pass without the token. What is open is named here; all else, known or not, is closed."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.problems import response
from service.principals import OPERATOR
from service.tokens import Tokens
from trimtab.errors import Unauthorized

OPEN = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})


class Gate:
    """Looks at the token before anything else of a request is read."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        try:
            self._check(Headers(scope=scope).get("authorization", ""))
        except Unauthorized as refused:
            await response(refused)(scope, receive, send)
        else:
            scope["principal"] = OPERATOR
            await self._app(scope, receive, send)

    def _check(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("no token: send Authorization: Bearer <token>")
        if not self._tokens.is_admin(token.strip()):
            raise Unauthorized("the token is not valid")
