"""How a page is made: rendered from a template, whoever looks at it."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from service.api.scopes import ScopedRoute
from service.principals import Principal, Scope
from service.sessions import Session, Sessions
from service.web import assets, words

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
_TEMPLATES.policies["json.dumps_kwargs"] = {"sort_keys": False}  # What matters most stays first.


class PageRoute(ScopedRoute):
    """A route whose answers are pages, refusals among them."""


class OpenPageRoute(APIRoute):
    """A page for whoever has not signed in."""


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
