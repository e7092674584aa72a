"""What somebody wrote of a new study and sent when the session was over: shown again, since no browser keeps it."""

from collections.abc import Callable

from fastapi import Request, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from service.api.limits import BodyLimit
from service.api.origins import is_foreign

_FORM = "application/x-www-form-urlencoded"


def is_written(request: Request) -> bool:
    """Return whether a request carries what somebody wrote on a page of ours."""
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    is_new = (request.method, request.url.path) == ("POST", "/new")
    return is_new and is_form and not is_foreign(request.headers)


class Unsent(Response):
    """A page with what was written. Who is refused for want of a token is so before the body is read: it is read here.

    Args:
        page: Makes the page of what was written; None: it could not be read.
    """

    def __init__(self, page: Callable[[str | None], Response]) -> None:
        super().__init__()
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await BodyLimit(self._answer)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._page(await _written(Request(scope, receive)))(scope, receive, send)


async def _written(request: Request) -> str | None:
    try:
        async with request.form() as form:
            written = form.get("spec")
    except (HTTPException, ClientDisconnect):
        return None
    return written if isinstance(written, str) else None
