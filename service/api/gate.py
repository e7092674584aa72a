"""Lets nobody pass without a token. What is open is named here; all else, known or not, is closed."""

import math
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api import protocol
from service.api.origins import OF_PROGRAMS, SAFE, is_foreign, is_visit, session_of
from service.api.problems import refuse
from service.pace import Pace
from service.principals import Principal
from service.recognition import Recognition
from service.sessions import Session, Sessions
from trimtab.errors import Forbidden, Refused, TooManyRequests, Unauthorized
from trimtab.protocol import PROTOCOL_HEADER

OPEN = frozenset({"/healthz", "/readyz", "/openapi.json", "/docs", "/sign-in", "/static/{digest}/{name}"})
_STATIC = "/static/"


class Gate:
    """Looks at the token before anything else of a request is read, and notes in the scope who calls.

    `recognise` in the scope looks again, for who is held for long: the token may be revoked meanwhile.

    Args:
        app: Behind the gate.
        recognition: Knows tokens.
        sessions: Knows who signed in. A session opens pages; of what programs call, only what changes nothing.
        pace: Knows how many requests each may make.
    """

    def __init__(self, app: ASGIApp, recognition: Recognition, sessions: Sessions, pace: Pace) -> None:
        self._app = app
        self._recognition = recognition
        self._sessions = sessions
        self._pace = pace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] in OPEN or scope["path"].startswith(_STATIC):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            protocol.check(headers.get(PROTOCOL_HEADER))
            session = self._session(scope, headers)
            recognise = partial(self._principal, headers.get("authorization"), session)
            principal = await recognise()
            self._keep_pace(principal)
        except Refused as refused:
            await refuse(Request(scope), refused)(scope, receive, send)
        else:
            scope.update({"principal": principal, "recognise": recognise, "session": session})
            await self._app(scope, receive, send)

    def _session(self, scope: Scope, headers: Headers) -> Session | None:
        """Return the session of a request that a session is good for.

        Raises:
            Forbidden: Not the reader but a page of another site asks.
        """
        if "authorization" in headers or (scope["method"] not in SAFE and scope["path"].startswith(OF_PROGRAMS)):
            return None
        session = session_of(scope, self._sessions)
        if session and is_foreign(headers) and not is_visit(scope):
            raise Forbidden("a page of another site asks for this in your name: open it from a page of this service")
        return session

    async def _principal(self, authorization: str | None, session: Session | None) -> Principal:
        if session:
            return await run_in_threadpool(self._recognition.of_session, session)
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthorized("no token: send Authorization: Bearer <token>")
        token = token.strip()
        known = self._recognition.at_once(token)
        return await run_in_threadpool(self._recognition.by_look, token) if known is None else known

    def _keep_pace(self, principal: Principal) -> None:
        if seconds := self._pace.wait_for(principal.token_id):
            raise TooManyRequests("this token has used up its requests for now", retry_after=math.ceil(seconds))
