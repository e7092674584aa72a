"""Errors on the wire: application/problem+json (RFC 9457), with the field at fault named."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from service.settings import MAX_BODY_BYTES
from trimtab import errors
from trimtab.protocol import FieldProblem

MEDIA_TYPE = "application/problem+json"

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
    errors.Unauthorized, errors.BodyTooLarge, errors.Invalid, errors.InternalError, errors.Unavailable
)


def install(app: FastAPI) -> None:
    """Answer every error of `app` with a problem."""
    app.add_exception_handler(errors.Refused, _refused)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _defect)


def response(refused: errors.Refused) -> Response:
    """Return an error as it goes out."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(refused, errors.Unauthorized) else {}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    body = refused.to_problem().model_dump_json()
    return Response(body, status_code=refused.status, media_type=MEDIA_TYPE, headers=headers)


async def _refused(_: Request, refused: Exception) -> Response:
    assert isinstance(refused, errors.Refused)
    return response(refused)


async def _not_valid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = [_field_problem(detail, error.body) for detail in error.errors()]
    return response(errors.Invalid("the request is not valid", errors=found))


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == errors.MethodNotAllowed.status:
        refused: errors.Refused = errors.MethodNotAllowed("this path does not take that method")
    elif error.status_code == errors.NotFound.status:
        refused = errors.NotFound("there is nothing at this path")
    elif error.status_code == errors.BodyTooLarge.status:
        refused = errors.BodyTooLarge(f"the body is over {MAX_BODY_BYTES} bytes")
    else:
        refused = errors.Invalid(str(error.detail))
    answer = response(refused)
    answer.headers.update(error.headers or {})
    return answer


async def _defect(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return response(errors.InternalError("the service has a defect; its log says more"))


def _field_problem(detail: Mapping[str, Any], body: Any) -> FieldProblem:
    place, *path = detail["loc"]
    parts = _on_the_wire(path, body) if place == "body" else [str(part) for part in path]
    if detail["type"] == "missing" and place == "body" and path:
        parts.append(str(path[-1]))
    if field := (detail.get("ctx") or {}).get("field"):
        parts.append(field)
    return FieldProblem(field=".".join(parts) or str(place), message=_message(detail))


def _on_the_wire(path: Sequence[int | str], body: Any) -> list[str]:
    """Return `path` without the steps that are the validator's own, such as the branch of a union."""
    parts: list[str] = []
    for part in path:
        inside = dict(enumerate(body)) if isinstance(body, list) else body
        if isinstance(inside, Mapping) and part in inside:
            body = inside[part]
            parts.append(str(part))
    return parts


def _message(detail: Mapping[str, Any]) -> str:
    message = str(detail["msg"])
    return message[:1].lower() + message[1:]
