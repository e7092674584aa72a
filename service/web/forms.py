"""Forms of our own pages: what another site sends in the name of who signed in is not taken."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.datastructures import FormData, UploadFile

from service.sessions import Session, Sessions
from service.web.pages import PageRoute
from trimtab.errors import Forbidden, Invalid
from trimtab.protocol import FieldProblem


async def _form(request: Request) -> FormData:
    session: Session | None = request.scope["session"]
    sessions: Sessions = request.app.state.sessions
    # Left, it closes what it holds open: the files of a form of somebody else's making.
    async with request.form() as form:
        key = form.get("form_key")
        if session is None or not isinstance(key, str) or not sessions.is_form_key(session, key):
            raise Forbidden("this form is not from a page of your session: open the page again")
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                problem = FieldProblem(field=name, message="is a file, which no form of these pages has")
                raise Invalid("the form cannot be taken", errors=[problem])
            _require_text(name, value)
    return form


def _require_text(name: str, value: str) -> None:
    """Refuse half of a character, which some alphabets can write and UTF-8 cannot."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Invalid("the form cannot be taken", errors=[FieldProblem(field=name, message="is no text")]) from error


FormDep = Annotated[FormData, Depends(_form)]
"""The form that was sent, from a page of the session that sends it."""


def check(app: FastAPI) -> None:
    """Return if every page that changes something takes forms of its own pages only.

    Raises:
        RuntimeError: One takes any.
    """
    bare = [str(each.path) for each in iter_route_contexts(app.routes) if _takes_any(each.original_route)]
    if bare:
        raise RuntimeError(f"these pages take forms of other sites: {', '.join(bare)}")


def _takes_any(route: object) -> bool:
    if not isinstance(route, PageRoute) or route.methods == {"GET"}:
        return False
    return not any(each.call is _form for each in route.dependant.dependencies)
