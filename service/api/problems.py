"""Errors on the wire: application/problem+json (RFC 9457), with the field at fault named."""

import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from service.api.watched import HEADER
from trimtab import errors
from trimtab.logs import request_id
from trimtab.protocol import FieldProblem
from trimtab.validation import field_problems

MEDIA_TYPE = "application/problem+json"

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")

_log = logging.getLogger(__name__)


def problems(*refusals: type[errors.Refused]) -> dict[int | str, dict[str, Any]]:
    """Return what a route says in OpenAPI of the errors that it may answer."""
    by_status: dict[int | str, list[str]] = {}
    for refusal in refusals:
        meaning = (refusal.__doc__ or "").partition("\n")[0]
        by_status.setdefault(refusal.status, []).append(f"`{refusal.code}`: {meaning}")
    return {
        status: {"description": " ".join(lines), "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
        for status, lines in by_status.items()
    }


PROBLEM = {"$ref": "#/components/schemas/Problem"}

EVERYWHERE = problems(
    errors.ProtocolMismatch,
    errors.Unauthorized,
    errors.Forbidden,
    errors.BodyTooLarge,
    errors.Invalid,
    errors.TooManyRequests,
    errors.InternalError,
    errors.Unavailable,
)


Refuse = Callable[[Request, errors.Refused], Response]
"""Makes the answer to who is refused, so that whoever asks can read it."""


def install(app: FastAPI, refuse: Refuse) -> None:
    """Have every error of `app` answered by `refuse`."""
    app.state.refuse = refuse
    app.add_exception_handler(errors.Refused, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _cut_off)
    app.add_exception_handler(Exception, _defect)


def refuse(request: Request, refused: errors.Refused) -> Response:
    """Return the answer to who is refused."""
    answer: Refuse = request.app.state.refuse
    return answer(request, refused)


def response(refused: errors.Refused) -> Response:
    """Return an error as it goes out to programs."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(refused, errors.Unauthorized) else {}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    body = refused.to_problem().model_copy(update={"request_id": request_id.get()}).model_dump_json()
    return Response(body, status_code=refused.status, media_type=MEDIA_TYPE, headers=headers)


async def _refused(request: Request, refused: Exception) -> Response:
    assert isinstance(refused, errors.Refused)
    return refuse(request, refused)


async def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes):
        problem = FieldProblem(field="Content-Type", message="must be application/json")
        return refuse(request, errors.Invalid("the body is not said to be JSON", errors=[problem]))
    return refuse(request, errors.Invalid("the request is not valid", errors=_found(error, _message(request))))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = error.headers or {}
    if error.status_code == errors.MethodNotAllowed.status:
        refused: errors.Refused = errors.MethodNotAllowed("this path does not take that method")
        headers = {"Allow": ", ".join(_allowed(request))}
    elif error.status_code == errors.NotFound.status:
        refused = errors.NotFound("there is nothing at this path")
    elif error.status_code == errors.BodyTooLarge.status:
        refused = errors.BodyTooLarge(error.detail)
    elif error.status_code == errors.Invalid.status:
        refused = errors.Invalid("the body is not valid", errors=[FieldProblem(field="body", message=error.detail)])
    else:
        # What is left is a body that is not even read to its end.
        refused = _unreadable(request, error.detail)
    answer = refuse(request, refused)
    answer.headers.update(headers)
    return answer


def _unreadable(request: Request, detail: str) -> errors.Invalid:
    """Return what is wrong with a body that cannot be read: of a form its parser says it."""
    if request.headers.get("content-type", "").lower().startswith(_FORMS):
        return errors.Invalid("the form cannot be read", errors=[FieldProblem(field="body", message=detail)])
    problem = FieldProblem(field="body", message="is not UTF-8, nested too deeply, or has a number of too many digits")
    return errors.Invalid("the body cannot be read", errors=[problem])


def _allowed(request: Request) -> list[str]:
    """Return the methods that a path takes. Starlette names those of the first route alone that has the path."""
    app: FastAPI = request.app
    takes = {method: {**request.scope, "method": method} for method in _METHODS}
    return [method for method, scope in takes.items() if any(r.matches(scope)[0] is Match.FULL for r in app.routes)]


async def _cut_off(request: Request, _: Exception) -> Response:
    # Nobody reads the answer. A worker that is killed in the middle of a checkpoint is no defect of the service.
    said = {"method": request.method, "path": request.url.path}
    _log.info("%(method)s %(path)s was cut off by its sender", said)
    return response(errors.Invalid("the body ended before its end"))


async def _defect(request: Request, error: Exception) -> Response:
    said = {"method": request.method, "path": request.url.path}
    _log.error("%(method)s %(path)s failed", said, exc_info=error)
    answer = refuse(
        request, errors.InternalError(f"the service has a defect; its log says more of request {request_id.get()}")
    )
    # Of all answers this one is made outside of what names them.
    answer.headers[HEADER] = request_id.get() or ""
    return answer


def _message(request: Request) -> type[BaseModel] | None:
    """Return the class that the body of a request was to be of; None: of none."""
    route = request.scope.get("route")
    body = route.body_field if isinstance(route, APIRoute) else None
    wanted = body.field_info.annotation if body else None
    return wanted if isinstance(wanted, type) and issubclass(wanted, BaseModel) else None


def _found(error: RequestValidationError, message: type[BaseModel] | None) -> tuple[FieldProblem, ...]:
    inside = [detail | {"loc": detail["loc"][1:]} for detail in error.errors() if detail["loc"][0] == "body"]
    beside = [detail | {"loc": detail["loc"][1:]} for detail in error.errors() if detail["loc"][0] != "body"]
    given = {detail["loc"][0]: None for detail in beside if detail["type"] != "missing"}
    return (*field_problems(beside, given), *field_problems(inside, error.body, message))
