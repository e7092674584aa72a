"""Lets nobody pass without a token. What is open is named here; all else, known or not, is closed."""

import math
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api import protocol
from service.api.problems import response
from service.pace import Pace
from service.principals import Principal
from service.recognition import Recognition
from trimtab.errors import Refused, TooManyRequests, Unauthorized
from trimtab.protocol import PROTOCOL_HEADER

OPEN = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs"})


class Gate:
    """Looks at the token before anything else of a request is read, and notes in the scope who calls.

    `recognise` in the scope looks again, for who is held for long: the token may be revoked meanwhile.

    Args:
        app: Behind the gate.
        recognition: Knows tokens.
        pace: Knows how many requests each may make.
    """

    def __init__(self, app: ASGIApp, recognition: Recognition, pace: Pace) -> None:
        self._app = app
        self._recognition = recognition
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        recognise = partial(self._principal, headers.get("authorization", ""))
        try:
            protocol.check(headers.get(PROTOCOL_HEADER))
            principal = await recognise()
            self._keep_pace(principal)
        except Refused as refused:
            await response(refused)(scope, receive, send)
        else:
            scope.update({"principal": principal, "recognise": recognise})
            await self._app(scope, receive, send)

    async def _principal(self, authorization: str) -> Principal:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("no token: send Authorization: Bearer <token>")
        token = token.strip()
        known = self._recognition.at_once(token)
        return await run_in_threadpool(self._recognition.by_look, token) if known is None else known

    def _keep_pace(self, principal: Principal) -> None:
        if seconds := self._pace.wait_for(principal.token_id):
            raise TooManyRequests("this token has used up its requests for now", retry_after=math.ceil(seconds))
