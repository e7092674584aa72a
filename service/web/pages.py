"""How a page is made: rendered from a template, with what keeps strangers out of it, refusals as pages too."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from service.api.scopes import ScopedRoute
from service.principals import Principal, Scope
from service.sessions import Session, Sessions
from service.web import assets, words
from trimtab.errors import Invalid, Refused

# Whatever is shown is escaped, and a name that a template does not get is a defect and not an empty place.
_TEMPLATES = Environment(
    loader=PackageLoader("service.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.globals["asset"] = assets.url
_TEMPLATES.filters.update(words.FILTERS)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(ScopedRoute):
    """A route whose answers are pages, refusals among them."""

    def get_route_handler(self) -> Handler:
        """Return what serves a request."""
        return _as_page(super().get_route_handler())


class OpenPageRoute(APIRoute):
    """A page for whoever has not signed in."""

    def get_route_handler(self) -> Handler:
        """Return what serves a request."""
        return _as_page(super().get_route_handler())


def render(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page.

    Args:
        request: That asks for it.
        template: Its file.
        status: Of the answer.
        values: What the template gets, beside who looks at it.
    """
    principal: Principal | None = request.scope.get("principal")
    session: Session | None = request.scope.get("session")
    sessions: Sessions = request.app.state.sessions
    shared = {
        "may_change": principal is not None and session is not None and principal.may(Scope.STUDIES),
        "is_signed_in": session is not None,
        "form_key": sessions.form_key(session) if session else "",
        "path": request.url.path,
    }
    return HTMLResponse(_TEMPLATES.get_template(template).render(shared | values), status_code=status)


def part(template: str, **values: object) -> str:
    """Return a part of a page that is the same whoever looks at it."""
    return _TEMPLATES.get_template(template).render(values)


def refusal(request: Request, refused: Refused) -> Response:
    """Return the page that says what is wrong."""
    return render(request, "refusal.html", status=refused.status, refused=refused)


def _as_page(handler: Handler) -> Handler:
    async def page(request: Request) -> Response:
        try:
            answer = await handler(request)
        except RequestValidationError:
            answer = refusal(request, Invalid("the address of the page is not valid"))
        except Refused as refused:
            answer = refusal(request, refused)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    return page
