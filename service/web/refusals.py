"""What a browser is shown where the service refuses: a page that says why and what to do, or where to sign in."""

from collections.abc import Mapping
from functools import partial

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from service.api import problems
from service.api.origins import OF_PROGRAMS, SAFE
from service.web import addresses, unsent
from service.web.pages import OpenPageRoute, PageRoute, render
from service.web.shield import shield
from service.web.unsent import Unsent
from trimtab.errors import InternalError, Refused, StudyNotFound, TooManyRequests, Unauthorized, Unavailable

_SEE_OTHER = 303
_SECONDS = 2
"""Before a page asks for itself again, where nothing says when."""

_TITLES: Mapping[type[Refused], str] = {
    Unauthorized: "You are signed out",
    TooManyRequests: "Too many requests",
    InternalError: "The service has a defect",
    Unavailable: "The service cannot answer now",
}


def refuse(request: Request, refused: Refused) -> Response:
    """Return the answer to who is refused: a page to people, a problem to programs, scripts of our pages among them."""
    if not _is_looked_at(request):
        return problems.response(refused)
    if isinstance(refused, Unauthorized) and request.method in SAFE:
        return RedirectResponse(addresses.sign_in(addresses.asked_for(request)), status_code=_SEE_OTHER)
    if isinstance(refused, Unauthorized) and unsent.is_written(request):
        return Unsent(partial(_page, request, refused))
    answer = _page(request, refused)
    # One that is made for a defect does not pass what gives all others their headers.
    shield(answer.raw_headers)
    return answer


def _is_looked_at(request: Request) -> bool:
    if isinstance(request.scope.get("route"), PageRoute | OpenPageRoute):
        return True
    is_page = not request.url.path.startswith(OF_PROGRAMS)
    return is_page and "text/html" in request.headers.get("accept", "")


def _page(request: Request, refused: Refused, written: str | None = None) -> Response:
    is_safe = request.method in SAFE
    seconds = (refused.retry_after or _SECONDS) if isinstance(refused, TooManyRequests | Unavailable) else None
    answer = render(
        request,
        "refusal.html",
        status=refused.status,
        refused=refused,
        title=_title(refused, is_safe=is_safe),
        seconds=seconds if is_safe else None,
        sign_in=addresses.sign_in(addresses.came_from(request)) if isinstance(refused, Unauthorized) else None,
        written=written,
        study=None if isinstance(refused, StudyNotFound | Unauthorized) else _study(request),
        is_unsure=not is_safe and isinstance(refused, InternalError | Unavailable),
    )
    if refused.retry_after is not None:
        answer.headers["Retry-After"] = str(refused.retry_after)
    return answer


def _study(request: Request) -> str | None:
    """Return the study that a page is of which cannot be shown; None: of none, or it is the study's own."""
    match request.url.path.split("/"):
        case ["", "studies", name, _, *_]:
            return name
        case _:
            return None


def _title(refused: Refused, *, is_safe: bool) -> str:
    known = next((title for cause, title in _TITLES.items() if isinstance(refused, cause)), None)
    return known or ("This page cannot be shown" if is_safe else "This was refused")
