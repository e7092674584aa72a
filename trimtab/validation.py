"""Validation that says which field is at fault, in the words of the sender."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from trimtab import nearness, wording
from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem

MAX_DETAILS = 100
"""Errors that are looked at: a body of 1 MiB can have a hundred thousand, and nobody reads on that far."""

LONGEST_PART = 200
"""Characters of a name that is sent back; none of ours has more."""

Checked = TypeVar("Checked", bound=BaseModel)


def built(message: type[Checked], fields: Mapping[str, object]) -> Checked:
    """Return a message of `fields`.

    Raises:
        Invalid: Some field is not as it must be.
    """
    try:
        return message.model_validate(fields)
    except ValidationError as error:
        raise _invalid(error, fields, message) from error


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
        raise _invalid(error, TypeAdapter(object).validate_json(text), message) from error


def field_problems(
    details: Iterable[ErrorDetails], given: object, message: type[BaseModel] | None = None
) -> tuple[FieldProblem, ...]:
    """Return what is wrong, once for each field; of very many errors the first.

    Args:
        details: Pydantic's errors; their places are below `given`.
        given: What was validated.
        message: The class of which it was to be; None: it is none.
    """
    by_field: dict[str, list[ErrorDetails]] = {}
    for detail in islice(chain.from_iterable(map(_each, details)), MAX_DETAILS):
        by_field.setdefault(_field(detail, given), []).append(detail)
    return tuple(
        FieldProblem(field=field or "body", message=wording.message(found) + _nearest(found[0], message))
        for field, found in by_field.items()
        if not _is_hollowed(field, found, by_field)
    )


def _each(detail: ErrorDetails) -> Iterator[ErrorDetails]:
    """Yield an error for each field that one of ours is about."""
    yield detail
    for field, text in detail.get("ctx", {}).get("others", ()):
        yield {**detail, "msg": text, "ctx": {"field": field}}


def _invalid(error: ValidationError, given: object, message: type[BaseModel]) -> Invalid:
    return Invalid("not valid", errors=field_problems(error.errors(include_url=False), given, message))


def _nearest(detail: ErrorDetails, message: type[BaseModel] | None) -> str:
    """Return which field may have been meant by one that is unknown."""
    if message is None or detail["type"] != "extra_forbidden":
        return ""
    *path, name = detail["loc"]
    return nearness.did_you_mean(str(name)[:LONGEST_PART], nearness.fields_at(message, path))


def _field(detail: ErrorDetails, given: object) -> str:
    path = detail["loc"]
    parts = _as_sent(path, given)
    if detail["type"] == "missing" and path:
        parts.append(str(path[-1]))
    if field := detail.get("ctx", {}).get("field"):
        parts.append(field)
    return ".".join(parts)


def _is_hollowed(field: str, found: Sequence[ErrorDetails], fields: Iterable[str]) -> bool:
    """Return whether a list is too short only because items of it are at fault themselves."""
    return found[0]["type"] == "too_short" and any(other.startswith(f"{field}.") for other in fields)


def _as_sent(path: Sequence[int | str], given: object) -> list[str]:
    """Return `path` without the steps that are the validator's own, such as the branch of a union."""
    parts: list[str] = []
    for part in path:
        match given:
            case list() | tuple() if isinstance(part, int) and part < len(given):
                given = given[part]
            case Mapping() if part in given:
                given = given[part]
            case _:
                continue
        parts.append(str(part)[:LONGEST_PART])
    return parts
