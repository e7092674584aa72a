"""Where values lie on the scale of their parameter, and ranges there: what narrowing and widening reckon with."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from trimtab.space import MAX_FLOAT, MAX_INT, Float, Int, Scale

NEAR = 0.01
"""A value is on a bound if it lies within this share of the range, on its scale."""

_NEAREST_TO_ONE = 1 - 1e-12
"""Where every reverse_log range ends: closer to one, doubles are too far apart to be searched."""

_ROUNDING = Decimal("1e-6")
"""Share of a step by which a value may miss it: a scale there and back loses digits."""

Number = Float | Int
Side = Literal["low", "high"]


@dataclass(frozen=True)
class Interval:
    """A part of a scale: positions, not values."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """How long it is, on the scale."""
        return self.high - self.low


def interval(parameter: Number) -> Interval:
    """Return the range of a parameter on its scale."""
    return Interval(position(parameter, parameter.low), position(parameter, parameter.high))


def position(parameter: Number, value: float) -> float:
    """Return where a value lies on the parameter's scale; a greater value lies higher."""
    match parameter.scale:
        case Scale.LINEAR:
            return float(value)
        case Scale.LOG:
            return math.log(value)
        case Scale.REVERSE_LOG:
            return -math.log(1 - value)


def side(parameter: Number, value: float) -> Side | None:
    """Return on which bound of its range a value sits; None: on neither, or there is only one value."""
    whole, at = interval(parameter), position(parameter, value)
    if whole.width == 0:
        return None
    if at - whole.low <= NEAR * whole.width:
        return "low"
    return "high" if whole.high - at <= NEAR * whole.width else None


def reach(parameter: Number, allowed: Number | None) -> tuple[float, float]:
    """Return how far the bounds of a parameter may be moved: never across zero where its range begins or ends there.

    Args:
        parameter: As it was at first.
        allowed: Every value that its task can take; None: any.
    """
    low, high = (-MAX_INT, MAX_INT) if isinstance(parameter, Int) else (-MAX_FLOAT, MAX_FLOAT)
    if parameter.low >= 0:
        low = _least_from_zero(parameter)
    if parameter.high <= 0:
        high = 0
    if parameter.scale is Scale.REVERSE_LOG:
        high = _NEAREST_TO_ONE
    if allowed is not None:
        low, high = max(low, allowed.low), min(high, allowed.high)
    return min(low, parameter.low), max(high, parameter.high)


def _least_from_zero(parameter: Number) -> float:
    if parameter.scale is not Scale.LOG:
        return 0
    return 1 if isinstance(parameter, Int) else 1 / MAX_FLOAT


def ranged(first: Number, wanted: Interval, *, low: float, high: float) -> Number:
    """Return the parameter with about the range `wanted`: in round figures, on its steps, two values at least.

    Args:
        first: As it was at first: it says where steps begin.
        wanted: Of its scale.
        low: No value below this one.
        high: No value above this one.
    """
    wanted_low = max(value_at(first, wanted.low), low)
    wanted_high = min(value_at(first, wanted.high), high)
    if first.step is None:
        return first.model_copy(update={"low": wanted_low, "high": wanted_high})
    return _stepped(first, wanted_low, wanted_high, low=low, high=high)


def _stepped(first: Number, wanted_low: float, wanted_high: float, *, low: float, high: float) -> Number:
    start, step = Decimal(str(first.low)), Decimal(str(first.step))
    least, last = _nth(start, step, low, ROUND_CEILING), _nth(start, step, high, ROUND_FLOOR)
    begin = max(_nth(start, step, wanted_low, ROUND_FLOOR), least)
    end = min(_nth(start, step, wanted_high, ROUND_CEILING), last)
    if begin == end:
        begin, end = (begin, end + 1) if end < last else (max(begin - 1, least), end)
    kind = int if isinstance(first, Int) else float
    return first.model_copy(update={"low": kind(start + begin * step), "high": kind(start + end * step)})


def _nth(start: Decimal, step: Decimal, value: float, rounding: str) -> int:
    """Return which step a value is, or the next one down or up."""
    shift = _ROUNDING if rounding == ROUND_FLOOR else -_ROUNDING
    return int(((Decimal(str(value)) - start) / step + shift).to_integral_value(rounding))


def value_at(parameter: Number, at: float) -> float:
    """Return the value at a position of the parameter's scale, to six digits: bounds are for people too."""
    match parameter.scale:
        case Scale.LINEAR:
            return _round(at)
        case Scale.LOG:
            return _round(math.exp(at))
        case Scale.REVERSE_LOG:
            return 1 - _round(math.exp(-at))


def _round(value: float) -> float:
    return float(f"{value:.6g}")
