"""What a trial of a study without a space asks for while it runs, and what it leaves on record of itself.

suggest "optimizer": categorical, sgd or adam  --> "adam"
suggest "beta2": float, 0.9 to 0.9999          --> 0.995        the same name again: the same value
"""

import json
from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from trimtab.message import CONTROL, Message, ParamName, Scalar, invalid
from trimtab.space import Categorical, Float, Int

MAX_ATTRIBUTE_BYTES = 2**16
"""Of the JSON of one attribute."""

MAX_ATTRIBUTE_LEVELS = 64
"""Of lists and objects in each other in one attribute: a third of what the parsers of those who read it take."""


def _no_dots(key: str) -> str:
    """Refuse what means another place in a path: whoever sends it would leave it out of there."""
    if key in {".", ".."}:
        raise PydanticCustomError("dots", "must not be . or ..")
    return key


AttributeKey = Annotated[
    str, StringConstraints(pattern=rf"^[^\t{CONTROL}]+$", max_length=512), AfterValidator(_no_dots)
]
"""Any words in one line; Optuna's column has as many characters."""


class _Alone(Message):
    """A parameter that is asked for alone knows of no other: the code that asks has its conditions and lists."""

    name: ParamName
    when: None = None
    per: None = None


class WantedFloat(_Alone, Float):
    """A real number that is asked for, by name."""

    @property
    def parameter(self) -> Float:
        """Where it may lie."""
        return Float(**self.model_dump(exclude={"name"}))


class WantedInt(_Alone, Int):
    """An integer that is asked for, by name."""

    @property
    def parameter(self) -> Int:
        """Where it may lie."""
        return Int(**self.model_dump(exclude={"name"}))


class WantedCategorical(_Alone, Categorical):
    """One of a list of values that is asked for, by name."""

    @property
    def parameter(self) -> Categorical:
        """What it may be."""
        return Categorical(**self.model_dump(exclude={"name"}))


Wanted = Annotated[WantedFloat | WantedInt | WantedCategorical, Field(discriminator="type")]


class Suggested(Message):
    """The value of a parameter in a trial, once and for all its attempts."""

    name: ParamName
    value: Scalar


def _shallow(given: object) -> object:
    """Refuse what is too deep, and that without a call for each level, which would need as much of the stack."""
    level = _collections([given])
    for _ in range(MAX_ATTRIBUTE_LEVELS):
        level = _collections(inner for outer in level for inner in _items(outer))
    if level:
        text = "has too many levels of lists and objects: at most {most}"
        raise PydanticCustomError("deep", text, {"most": MAX_ATTRIBUTE_LEVELS})
    return given


def _collections(values: Iterable[object]) -> list[list[object] | dict[object, object]]:
    """Return the lists and objects among values, each once: what has itself in it twice would double at each level."""
    return list({id(value): value for value in values if isinstance(value, list | dict)}.values())


def _items(collection: list[object] | dict[object, object]) -> Iterable[object]:
    return collection.values() if isinstance(collection, dict) else collection


class Attribute(Message):
    """Something that a trial leaves on record of itself, under a key: any JSON."""

    value: Annotated[JsonValue, BeforeValidator(_shallow)]

    @model_validator(mode="after")
    def _can_be_stored(self) -> Self:
        try:
            size = len(json.dumps(self.value, ensure_ascii=False, allow_nan=False).encode())
        except ValueError:
            raise invalid("value", "must be JSON: no NaN, no infinity, no half of a surrogate pair") from None
        if size > MAX_ATTRIBUTE_BYTES:
            raise invalid("value", f"must be at most {MAX_ATTRIBUTE_BYTES:,} bytes of JSON, not {size:,}")
        return self
