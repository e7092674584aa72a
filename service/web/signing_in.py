"""/sign-in and /sign-out: a token for a session."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from service.api.scopes import needs
from service.principals import Principal, Scope
from service.recognition import Recognition
from service.sessions import COOKIE, LIFE_SECONDS, Sessions
from service.web.forms import FormDep
from service.web.pages import OpenPageRoute, PageRoute, render
from trimtab.errors import Unauthorized

_SEE_OTHER = 303

router = APIRouter(route_class=PageRoute)
open_router = APIRouter(route_class=OpenPageRoute)

Next = Annotated[str, Form(max_length=2000)]


@open_router.get("/sign-in")
async def sign_in_page(request: Request, next: str = "/") -> Response:  # noqa: A002  # as it stands in the address
    """Ask for a token."""
    return render(request, "sign_in.html", next=_inside(next), problem=None)


@open_router.post("/sign-in")
async def sign_in(
    request: Request,
    token: Annotated[str, Form(max_length=1000)] = "",
    next: Next = "/",  # noqa: A002  # as the form has it
) -> Response:
    """Begin a session, and go to the page that was wanted."""
    recognition: Recognition = request.app.state.recognition
    sessions: Sessions = request.app.state.sessions
    try:
        principal = await _principal(recognition, token.strip())
    except Unauthorized:
        problem = "This is no valid token. The operator's is in the file `token` of the service's data folder."
        return render(request, "sign_in.html", status=Unauthorized.status, next=_inside(next), problem=problem)
    answer = RedirectResponse(_inside(next), status_code=_SEE_OTHER)
    answer.set_cookie(
        COOKIE,
        sessions.begin(principal.token_id),
        max_age=LIFE_SECONDS,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return answer


@router.post("/sign-out")
@needs(Scope.VERSION)
async def sign_out(_: FormDep) -> Response:
    """Forget the session in this browser."""
    answer = RedirectResponse("/sign-in", status_code=_SEE_OTHER)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


async def _principal(recognition: Recognition, token: str) -> Principal:
    known = recognition.at_once(token)
    return await run_in_threadpool(recognition.by_look, token) if known is None else known


def _inside(path: str) -> str:
    """Return a path of this service, whatever is asked for: nobody is led elsewhere."""
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours else "/"
