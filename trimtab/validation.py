"""Validation that says which field is at fault, in the words of the sender."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

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


def field_problems(details: Iterable[ErrorDetails], given: object) -> tuple[FieldProblem, ...]:
    """Return what is wrong, once for each field.

    Args:
        details: Pydantic's errors; their places are below `given`.
        given: What was validated.
    """
    by_field: dict[str, list[ErrorDetails]] = {}
    for detail in details:
        by_field.setdefault(_field(detail, given), []).append(detail)
    return tuple(
        FieldProblem(field=field or "body", message=_message(found))
        for field, found in by_field.items()
        if not _is_hollowed(field, found, by_field)
    )


def _invalid(error: ValidationError, given: object) -> Invalid:
    return Invalid("not valid", errors=field_problems(error.errors(include_url=False, include_input=False), given))


def _field(detail: ErrorDetails, given: object) -> str:
    path = detail["loc"]
    parts = _as_sent(path, given)
    if detail["type"] == "missing" and path:
        parts.append(str(path[-1]))
    if field := detail.get("ctx", {}).get("field"):
        parts.append(field)
    return ".".join(parts)


def _message(found: Sequence[ErrorDetails]) -> str:
    """Return one message. Each branch of a union has its own; the one for a value of its type says the most."""
    telling = [detail for detail in found if not detail["type"].endswith("_type")] or found
    return " or ".join(detail["msg"][:1].lower() + detail["msg"][1:] for detail in telling)


def _is_hollowed(field: str, found: Sequence[ErrorDetails], fields: Iterable[str]) -> bool:
    """Return whether a list is too short only because items of it are at fault themselves."""
    return found[0]["type"] == "too_short" and any(other.startswith(f"{field}.") for other in fields)


def _as_sent(path: Sequence[int | str], given: object) -> list[str]:
    """Return `path` without the steps that are the validator's own, such as the branch of a union."""
    parts: list[str] = []
    for part in path:
        inside = dict(enumerate(given)) if isinstance(given, list | tuple) else given
        if isinstance(inside, Mapping) and part in inside:
            given = inside[part]
            parts.append(str(part))
    return parts
