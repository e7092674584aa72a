"""What is searched: parameters, their ranges and their scales."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, RootModel, model_validator

from trimtab.message import MAX_PARAMETERS, Array, Few, Lax, Message, ParamName, Scalar, invalid

MAX_CHOICES = 1024
MAX_CHOICES_OF_ALL = 4096
"""Choices of all parameters of a space: one suggestion holds about trials x choices numbers."""
MAX_INT = 2**53
"""Optuna stores every value as a double, which holds integers exactly up to here (IEEE 754)."""
MAX_FLOAT = 1e150
"""Samplers square distances, and the square of a double ends at 1.8e308 (IEEE 754)."""

When = Annotated[dict[ParamName, Annotated[tuple[Scalar, ...], Array, Field(min_length=1)]], Field(min_length=1), Few]


class Scale(StrEnum):
    """How values are spread over a range: evenly, by factors, or by factors of their distance from one."""

    LINEAR = "linear"
    LOG = "log"
    REVERSE_LOG = "reverse_log"


class Float(Message):
    """A real number in [low, high].

    Args:
        low: Smallest value, included. Above zero on a log scale.
        high: Largest value, included. Below one on a reverse_log scale.
        scale: `log` for what acts by factors, such as a learning rate; `reverse_log` for what acts by
            its distance from one, such as a momentum.
        step: Distance between neighbours; linear scale only. Nothing lies between the last one and high.
        when: The parameter exists only where each named one, listed before it, has one of the given values.
        per: The integer that says how many values there are: the parameter is a list, with one for each layer, say.
    """

    type: Literal["float"] = "float"
    low: float
    high: float
    scale: Annotated[Scale, Lax] = Scale.LINEAR
    step: Annotated[float, Field(gt=0)] | None = None
    when: When | None = None
    per: ParamName | None = None

    @model_validator(mode="after")
    def _range(self) -> Self:
        _check_size("low", self.low)
        _check_size("high", self.high)
        _check_range(self.low, self.high, self.step, self.scale)
        if self.scale is Scale.REVERSE_LOG and self.high >= 1:
            raise invalid("high", f"must be below 1 on a reverse_log scale, not {self.high}")
        return self

    def contains(self, value: object) -> bool:
        """Return whether `value` can be drawn from this parameter (steps are not looked at)."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def extremes(self) -> tuple[Scalar, ...]:
        """Return values such that all are allowed wherever these are."""
        return (self.low, self.high)

    def described(self) -> str:
        """Return the range in words."""
        return f"a number from {self.low:g} to {self.high:g}"


class Int(Message):
    """An integer in [low, high].

    Args:
        low: Smallest value, included. Above zero on a log scale.
        high: Largest value, included.
        scale: `linear` or `log`.
        step: Distance between neighbours; 1 on a log scale.
        when: The parameter exists only where each named one, listed before it, has one of the given values.
        per: The integer that says how many values there are: the parameter is a list, with one for each layer, say.
    """

    type: Literal["int"] = "int"
    low: Annotated[int, Field(ge=-MAX_INT, le=MAX_INT)]
    high: Annotated[int, Field(ge=-MAX_INT, le=MAX_INT)]
    scale: Annotated[Scale, Lax] = Scale.LINEAR
    step: Annotated[int, Field(ge=1)] = 1
    when: When | None = None
    per: ParamName | None = None

    @model_validator(mode="after")
    def _range(self) -> Self:
        if self.scale is Scale.REVERSE_LOG:
            raise invalid("scale", "must be linear or log for an int: reverse_log is for numbers below 1")
        _check_range(self.low, self.high, None if self.step == 1 else self.step, self.scale)
        return self

    def contains(self, value: object) -> bool:
        """Return whether `value` can be drawn from this parameter (steps are not looked at)."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def extremes(self) -> tuple[Scalar, ...]:
        """Return values such that all are allowed wherever these are."""
        return (self.low, self.high)

    def described(self) -> str:
        """Return the range in words."""
        return f"an integer from {self.low} to {self.high}"


class Categorical(Message):
    """One of a list of values without an order.

    Args:
        choices: The values, each once.
        when: The parameter exists only where each named one, listed before it, has one of the given values.
        per: The integer that says how many values there are: the parameter is a list, with one for each layer, say.
    """

    type: Literal["categorical"] = "categorical"
    choices: Annotated[tuple[Scalar, ...], Array, Field(min_length=1, max_length=MAX_CHOICES)]
    when: When | None = None
    per: ParamName | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        seen: set[Scalar] = set()
        for position, choice in enumerate(self.choices):
            if choice in seen:
                raise invalid(f"choices.{position}", f"is there twice: {choice!r}")
            seen.add(choice)
        return self

    def contains(self, value: object) -> bool:
        """Return whether `value` is one of the choices."""
        return value in self.choices

    def extremes(self) -> tuple[Scalar, ...]:
        """Return values such that all are allowed wherever these are."""
        return self.choices

    def described(self) -> str:
        """Return the choices in words."""
        return "one of " + ", ".join(map(str, self.choices))


class Bounds(Message):
    """Other bounds of a number that is searched; what is left out stays.

    Args:
        low: Smallest value, included.
        high: Largest value, included.
    """

    low: int | float | None = None
    high: int | float | None = None


Parameter = Annotated[Float | Int | Categorical, Field(discriminator="type")]


class Space(RootModel[Annotated[dict[ParamName, Parameter], Field(min_length=1, max_length=MAX_PARAMETERS), Few]]):
    """The parameters that are searched, by name, in the order in which they are drawn."""

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # iterated as the mapping that it is
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, name: str) -> Float | Int | Categorical:
        return self.root[name]

    def __contains__(self, name: object) -> bool:
        return name in self.root

    @model_validator(mode="after")
    def _conditions(self) -> Self:
        earlier: dict[str, Float | Int | Categorical] = {}
        for name, parameter in self.root.items():
            for parent, values in (parameter.when or {}).items():
                _check_condition(name, parent, values, earlier)
            earlier[name] = parameter
        return self

    @model_validator(mode="after")
    def _choices(self) -> Self:
        count = sum(len(parameter.choices) for parameter in self.root.values() if isinstance(parameter, Categorical))
        if count > MAX_CHOICES_OF_ALL:
            raise invalid("", f"has too many choices in all: {count}, and at most {MAX_CHOICES_OF_ALL} are allowed")
        return self

    def without(self, fixed: Mapping[str, object]) -> "Space":
        """Return this space without the parameters that `fixed` settles.

        A parameter that depends on a settled one stays, unconditionally, if the settled value allows it.
        """
        kept: dict[str, Float | Int | Categorical] = {}
        for name, parameter in self.root.items():
            when = parameter.when or {}
            left = {parent: values for parent, values in when.items() if parent not in fixed}
            settled = all(fixed[parent] in when[parent] for parent in when.keys() - left.keys())
            if name in fixed or not settled or left.keys() - kept.keys():
                continue
            kept[name] = parameter.model_copy(update={"when": left or None})
        return Space(kept)

    def is_active(self, name: str, params: Mapping[str, object]) -> bool:
        """Return whether parameter `name` exists at the point `params`, as far as that is drawn."""
        when = self.root[name].when or {}
        return all(parent in params and params[parent] in values for parent, values in when.items())

    def contains(self, params: Mapping[str, object]) -> bool:
        """Return whether `params` is a point of this space: each active parameter in range, and no other."""
        active = {name for name in self.root if self.is_active(name, params)}
        return active == set(params) and all(self.root[name].contains(params[name]) for name in active)


NOTHING = Space.model_construct(root={})
"""What a study without a space searches before its first trial has asked for a parameter. Never on the wire."""


def _check_size(field: str, bound: float) -> None:
    if abs(bound) > MAX_FLOAT:
        raise invalid(field, f"must lie between -{MAX_FLOAT:g} and {MAX_FLOAT:g}, not {bound}")


def _check_range(low: float, high: float, step: float | None, scale: Scale) -> None:
    if low > high:
        raise invalid("low", f"must not be above high: {low} > {high}")
    if scale is Scale.LOG and low <= 0:
        raise invalid("low", f"must be above 0 on a log scale, not {low}")
    if step is not None:
        _check_step(low, high, step, scale)


def _check_step(low: float, high: float, step: float, scale: Scale) -> None:
    if scale is not Scale.LINEAR:
        raise invalid("step", f"goes with a linear scale only, not {scale}")
    # In decimals, as they were written: 0.2 fits between 0.1 and 0.3, though not in doubles.
    distance = Decimal(str(high)) - Decimal(str(low))
    if Decimal(str(step)) > distance:
        raise invalid("step", f"must not be above high - low = {distance}, not {step}")
    # Of the bounds too, since far from zero a double has no room for small steps.
    if max(high - low, abs(low), abs(high)) > MAX_INT * step:
        raise invalid("step", f"is too fine for the range: {step} from {low} to {high}")


def _check_condition(
    name: str, parent: str, values: tuple[Scalar, ...], earlier: Mapping[str, Float | Int | Categorical]
) -> None:
    if parent not in earlier:
        raise invalid(f"{name}.when.{parent}", "is not listed before this parameter: move it up, or name another")
    known = earlier[parent]
    if known.per:
        raise invalid(f"{name}.when.{parent}", "is a list: a condition is on one value")
    if isinstance(known, Float) and known.step is None:
        raise invalid(f"{name}.when.{parent}", "is never just one of its numbers: give it a step, or choices")
    for value in values:
        if not known.contains(value):
            raise invalid(f"{name}.when.{parent}", f"can never be {value!r}")
