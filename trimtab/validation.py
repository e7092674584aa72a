"""Validation that says which field is at fault, in the words of the sender."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem

Checked = TypeVar("Checked", bound=BaseModel)


def built(message: type[Checked], fields: Mapping[str, object]) -> Checked:
    """Return a message of `fields`.

    Raises:
        Invalid: Some field is not as it must be.
    """
    try:
        return message.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error, fields) from error


def from_json(message: type[Checked], text: str | bytes) -> Checked:
    """Return the message that a JSON text holds.

    Raises:
        Invalid: It is no JSON, or some field is not as it must be.
    """
    try:
        return message.model_validate_json(text)
    except ValidationError as error:
        found = error.errors(include_url=False)
        if found[0]["type"] == "json_invalid":
            raise Invalid(found[0]["msg"]) from error
        raise _invalid(error, TypeAdapter(object).validate_json(text)) from error


def field_problem(detail: Mapping[str, Any], path: Sequence[int | str], given: object) -> FieldProblem:
    """Return what is wrong with one field.

    Args:
        detail: One of pydantic's errors.
        path: Where it was found, below `given`.
        given: What was validated.
    """
    parts = _as_sent(path, given)
    if detail["type"] == "missing" and path:
        parts.append(str(path[-1]))
    if field := (detail.get("ctx") or {}).get("field"):
        parts.append(field)
    message = str(detail["msg"])
    return FieldProblem(field=".".join(parts) or "body", message=message[:1].lower() + message[1:])


def _invalid(error: ValidationError, given: object) -> Invalid:
    found = error.errors(include_url=False, include_input=False)
    return Invalid("not valid", errors=[field_problem(detail, detail["loc"], given) for detail in found])


def _as_sent(path: Sequence[int | str], given: object) -> list[str]:
    """Return `path` without the steps that are the validator's own, such as the branch of a union."""
    parts: list[str] = []
    for part in path:
        inside = dict(enumerate(given)) if isinstance(given, list | tuple) else given
        if isinstance(inside, Mapping) and part in inside:
            given = inside[part]
            parts.append(str(part))
    return parts
