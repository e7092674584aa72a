"""/sign-in and /sign-out: a token for a session."""

import logging
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from service import tokens
from service.api.origins import is_foreign, is_from_here, session_of
from service.api.scopes import needs
from service.guesses import Guesses
from service.principals import Principal, Scope
from service.recognition import Recognition
from service.replica import Replica
from service.sessions import LIFE_SECONDS, Sessions, cookie_name
from service.web import addresses
from service.web.forms import FormDep
from service.web.pages import OpenPageRoute, PageRoute, render
from trimtab.errors import Forbidden, Refused, TooManyRequests, Unauthorized

_SEE_OTHER = 303

_WRONG = "This is no valid token."
_BLIND = (
    "This token is a worker's: it asks for trials, and sees no page. Sign in with one of kind user or reader; "
    "whoever has the operator's makes them."
)

_log = logging.getLogger(__name__)

router = APIRouter(route_class=PageRoute)
open_router = APIRouter(route_class=OpenPageRoute)


@open_router.get("/sign-in")
async def sign_in_page(
    request: Request,
    next: str = "/",  # noqa: A002  # as it stands in the address
    again: bool = False,
) -> Response:
    """Ask for a token; who has signed in goes on."""
    wanted = addresses.inside(next)
    if await _is_signed_in(request):
        return RedirectResponse(wanted, status_code=_SEE_OTHER)
    # Who follows a link of another site comes without the cookie (SameSite=Strict), and with it from a page of ours.
    if not again and not is_from_here(request.headers):
        return render(request, "arrival.html", address=f"{addresses.sign_in(wanted)}&again=1")
    return _asked(request, wanted)


@open_router.post("/sign-in")
async def sign_in(
    request: Request,
    token: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002  # as the form has it
) -> Response:
    """Begin a session, and go to the page that was wanted."""
    if is_foreign(request.headers):
        raise Forbidden("this form is not from a page of this service: open its own")
    guesses: Guesses = request.app.state.guesses
    token, wanted = token.strip(), addresses.inside(next)
    try:
        with guesses.one(_address(request)):
            principal = await _principal(request, token)
    except Unauthorized as refused:
        _log.info("a wrong token at the sign-in from %(client)s", {"client": _address(request)})
        return _asked(request, wanted, refused, problem=_WRONG)
    except TooManyRequests as refused:
        return _asked(request, wanted, refused, problem=f"{refused.detail.capitalize()}: wait {refused.retry_after} s.")
    if not principal.may(Scope.READ):
        return _asked(request, wanted, Forbidden(_BLIND), problem=_BLIND)
    _log.info("token %(token)s signed in", {"token": principal.token_id or "of the operator"})
    replica: Replica = request.app.state.replica
    sessions: Sessions = request.app.state.sessions
    cookie = sessions.begin(principal.token_id, tokens.mark(token), now=await run_in_threadpool(replica.clock.now))
    return _begun(request, cookie, wanted)


@router.post("/sign-out")
@needs(Scope.VERSION)
async def sign_out(request: Request, _: FormDep) -> Response:
    """Forget the session in this browser."""
    answer = RedirectResponse("/sign-in", status_code=_SEE_OTHER)
    scheme = request.url.scheme
    # One that is only sent by TLS is only taken back so.
    answer.delete_cookie(cookie_name(scheme), secure=scheme == "https", httponly=True, samesite="strict")
    return answer


def _asked(request: Request, wanted: str, refused: Refused | None = None, *, problem: str | None = None) -> Response:
    """Return the page that asks for a token; where one was refused, it says why."""
    answer = render(
        request,
        "sign_in.html",
        status=refused.status if refused else 200,
        next=wanted,
        problem=problem,
    )
    if refused and refused.retry_after is not None:
        answer.headers["Retry-After"] = str(refused.retry_after)
    return answer


def _begun(request: Request, cookie: str, wanted: str) -> Response:
    """Return the way on, with the cookie of a new session, whatever was there before."""
    answer = RedirectResponse(wanted, status_code=_SEE_OTHER)
    answer.set_cookie(
        cookie_name(request.url.scheme),
        cookie,
        max_age=LIFE_SECONDS,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


async def _is_signed_in(request: Request) -> bool:
    recognition: Recognition = request.app.state.recognition
    session = session_of(request.scope, request.app.state.sessions)
    if session is None:
        return False
    try:
        await run_in_threadpool(recognition.of_session, session)
    except Unauthorized:
        return False
    return True


async def _principal(request: Request, token: str) -> Principal:
    recognition: Recognition = request.app.state.recognition
    if not token.isascii():
        raise Unauthorized(_WRONG)
    known = recognition.at_once(token)
    return await run_in_threadpool(recognition.by_look, token) if known is None else known


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
