"""What every message on the wire has in common, and the few scalar types that they are made of."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

Lax = Field(strict=False)
"""For enumerations: JSON has no type of their own, so a string stands for them."""

Array = Field(strict=False, fail_fast=True)
"""For tuples, which an array stands for. The first item at fault is the last looked at: there may be a million."""

_NO_NUL = r"^[^\x00]*$"

Text = Annotated[str, StringConstraints(pattern=_NO_NUL, max_length=10_000)]
"""Words for people. No NUL: PostgreSQL cannot store it."""

_STUDY = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"

StudyName = Annotated[str, StringConstraints(pattern=_STUDY)]
"""Letters, digits, dot, underscore and dash, at most 128: safe in a URL, a file name and a shell."""

_PARAM = r"^[A-Za-z_][A-Za-z0-9_.]{0,127}$"

ParamName = Annotated[str, StringConstraints(pattern=_PARAM)]
"""The name of a parameter or of a metric."""

_TASK = r"^[A-Za-z_][A-Za-z0-9_.:-]{0,127}$"

TaskName = Annotated[str, StringConstraints(pattern=_TASK)]
"""The name of a task: a built-in one, or a user's `module:attribute`."""

_WORKER = r"^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,199}$"

WorkerName = Annotated[str, StringConstraints(pattern=_WORKER)]
"""Who asks, such as `gpu0@host`."""

Step = Annotated[int, Field(ge=1, lt=2**31)]
"""A point of training, counted from 1; an epoch by default."""

Scalar = bool | int | float | Annotated[str, StringConstraints(pattern=_NO_NUL, max_length=500)]
"""A value of a parameter."""

CONTROL = r"\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""What moves a cursor, ends a line, or turns the direction of writing, but for the tab: as part of a class."""

_TAG = rf"^[^\s{CONTROL}]([^\t{CONTROL}]{{0,62}}[^\s{CONTROL}])?$"

Tag = Annotated[str, StringConstraints(pattern=_TAG)]
"""A word or a few to find a study again by, at most 64 characters."""

PATTERNS: Mapping[str, str] = {
    _NO_NUL: "have no NUL in it",
    _STUDY: "be letters (a-z, A-Z), digits, '.', '_' and '-', the first a letter or digit, at most 128",
    _PARAM: "be letters (a-z, A-Z), digits, '_' and '.', the first a letter or '_', at most 128",
    _TASK: "be letters (a-z, A-Z), digits, '_', '.', ':' and '-', the first a letter or '_', at most 128",
    _WORKER: "be letters (a-z, A-Z), digits and any of '._:@/-', the first a letter or digit, at most 200",
    _TAG: "be 1 to 64 characters of one line, with no space before or after them",
}
"""What a text that does not match a pattern must be or have, in words."""


def _once_each(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse a tag that is there twice."""
    if twice := [tag for position, tag in enumerate(tags) if tag in tags[:position]]:
        raise PydanticCustomError("twice", "has the same one twice: {tag}", {"tag": twice[0]})
    return tags


Tags = Annotated[tuple[Tag, ...], Array, Field(max_length=32), AfterValidator(_once_each)]
"""The tags of a study."""

Priority = Annotated[int, Field(ge=-(2**31), lt=2**31)]
"""Which studies are served first: those of the highest."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""What randomness starts from."""

MAX_PARAMETERS = 256
"""Of a space, and so of a point."""

Value = Scalar | Annotated[tuple[Scalar, ...], Array, Field(max_length=MAX_PARAMETERS)]
"""A value of a parameter that may be a list."""


def _few(given: object) -> object:
    """Refuse an object of very many fields before they are looked at: a body of 1 MiB can have a hundred thousand."""
    if isinstance(given, Mapping) and len(given) > MAX_PARAMETERS:
        raise PydanticCustomError("crowded", "has too many items: at most {most}", {"most": MAX_PARAMETERS})
    return given


Few = BeforeValidator(_few)

Params = Annotated[
    Mapping[ParamName, Value],
    Field(max_length=MAX_PARAMETERS),
    Few,
]
"""One point of a space as people write it: a parameter that each layer has is a list."""

FlatParams = Mapping[str, Scalar]
"""One point of a flat space, as it is searched: each value of a list is a parameter of its own."""

Metrics = Annotated[dict[ParamName, float | None], Field(max_length=64)]
"""Measurements by name; None is a figure that is not finite."""


class Message(BaseModel):
    """A message on the wire: frozen and exact. An unknown field, a wrong type or a NaN is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def invalid(field: str, text: str, *others: tuple[str, str]) -> PydanticCustomError:
    """Return the error that a validator raises about `field`, a dotted path below the validated value.

    Args:
        field: At fault.
        text: What is wrong with it.
        others: Fields that are at fault too, each with its text.
    """
    escaped = text.replace("{", "{{").replace("}", "}}")
    return PydanticCustomError("invalid", escaped, {"field": field, "others": others})
