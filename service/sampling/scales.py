"""Where values lie on the scale of their parameter, and ranges there: what narrowing and widening reckon with."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Literal

from trimtab import grids
from trimtab.space import MAX_FLOAT, MAX_INT, Float, Int, Scale

NEAR = 0.01
"""A value is on a bound if it lies within this share of the range, on its scale."""

FEWEST_VALUES = 4
"""That a parameter can have for a bound to tell anything; the best of fewer is nearly always on one."""

_NEAREST_TO_ONE = 1 - 1e-12
"""Where every reverse_log range ends: closer to one, doubles are too far apart to be searched."""

_ROUNDING = Decimal("1e-6")
"""Share of a step by which a value may miss it: a scale there and back loses digits."""

_DIGITS = 6
"""Of a bound, counted from the first one in which the range is wide: bounds are for people too."""

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
    """Return the range of a parameter on its scale, up to the largest value there is."""
    return Interval(position(parameter, parameter.low), position(parameter, highest(parameter)))


def highest(parameter: Number) -> float:
    """Return the largest value there is; the last step, where steps do not divide the range."""
    steps = grids.size(parameter)
    return float(grids.value_at(parameter, steps - 1)) if steps else parameter.high


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


def ranged(first: Number, wanted: Interval, *, low: float, high: float) -> Number | None:
    """Return the parameter with about the range `wanted`: in round figures, on its steps, two values at least.

    None where doubles lie too far apart for such a range.

    Args:
        first: As it was at first: it says where steps begin.
        wanted: Of its scale.
        low: No value below this one.
        high: No value above this one.
    """
    wanted_low, wanted_high = (_between(first, at, low=low, high=high) for at in (wanted.low, wanted.high))
    if wanted_low < wanted_high:
        width = wanted_high - wanted_low
        wanted_low = max(_rounded(first, wanted_low, width, ROUND_FLOOR), low)
        wanted_high = min(_rounded(first, wanted_high, width, ROUND_CEILING), high)
    if first.step is not None:
        return _stepped(first, wanted_low, wanted_high, low=low, high=high)
    if wanted_low >= wanted_high:
        return None
    return first.model_copy(update={"low": wanted_low, "high": wanted_high})


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


def _between(parameter: Number, at: float, *, low: float, high: float) -> float:
    """Return the value at a position of the parameter's scale, or the bound that it lies beyond."""
    # Positions are compared, not values: far beyond the bounds a scale has none.
    if at <= position(parameter, low):
        return low
    if at >= position(parameter, high):
        return high
    return min(max(value_at(parameter, at), low), high)


def value_at(parameter: Number, at: float) -> float:
    """Return the value at a position of the parameter's scale.

    Raises:
        OverflowError: It is too large for a double.
    """
    match parameter.scale:
        case Scale.LINEAR:
            return at
        case Scale.LOG:
            return math.exp(at)
        case Scale.REVERSE_LOG:
            return 1 - math.exp(-at)


def _rounded(parameter: Number, value: float, width: float, rounding: str) -> float:
    """Return the next round figure below or above, by the width of the range and by where the scale begins."""
    if parameter.scale is not Scale.LINEAR:
        width = min(width, abs(value - (0 if parameter.scale is Scale.LOG else 1)))
    unit = Decimal(1).scaleb(Decimal(str(width)).adjusted() + 1 - _DIGITS)
    return float(_nth(Decimal(0), unit, value, rounding) * unit)
