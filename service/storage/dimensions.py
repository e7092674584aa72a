"""How a space stands in Optuna's tables: names, distributions, numbers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from trimtab.lists import nth
from trimtab.message import FlatParams, Params, Scalar, Value
from trimtab.space import Categorical, Float, Int, Scale, Space

Point = Mapping[str, float]
"""One point of a space as it is stored: by stored name, the number in trial_params.param_value."""

_ROUNDING = 1e-15
"""1 - (1 - x) misses x by less, of x or of 1 if that is more: half of a double's last place there, twice."""


@dataclass(frozen=True)
class Dimension:
    """A parameter as Optuna knows it.

    A reverse_log parameter `momentum` is stored as `1-momentum` with q = 1 - momentum on a log scale; q is
    the record.

    Args:
        name: What the spec calls it.
        stored_name: What Optuna calls it.
        parameter: From the spec.
        distribution: The same, Optuna's way.
        distribution_json: As it is stored with every value.
    """

    name: str
    stored_name: str
    parameter: Float | Int | Categorical
    distribution: BaseDistribution
    distribution_json: str

    def value(self, stored: float) -> Scalar:
        """Return the parameter's value for the number that is stored."""
        return _value(self.parameter, stored)

    def stored(self, value: Scalar) -> float:
        """Return the number that is stored for a value that the parameter can have."""
        match self.parameter:
            case Categorical(choices=choices):
                return float(choices.index(value))
            case Float(scale=Scale.REVERSE_LOG):
                return 1.0 - float(value)
            case Float() | Int():
                return float(value)


def dimensions(space: Space) -> tuple[Dimension, ...]:
    """Return the dimensions of `space`, in its order."""
    return tuple(dimension(name, space[name]) for name in space)


def params(space: Sequence[Dimension], point: Point) -> FlatParams:
    """Return `point` in the words of the spec."""
    return {
        dimension.name: dimension.value(point[dimension.stored_name])
        for dimension in space
        if dimension.stored_name in point
    }


def stored(space: Sequence[Dimension], params: FlatParams) -> Point:
    """Return params of a space as its point is stored."""
    return {
        dimension.stored_name: dimension.stored(params[dimension.name])
        for dimension in space
        if dimension.name in params
    }


def written(space: Space, point: Point) -> Params:
    """Return a stored point as people write it: lists as lists.

    Args:
        space: As it is declared; a point that its bounds do not hold any more is written as well.
        point: Of a trial.
    """
    found: dict[str, Value] = {}
    for name, parameter in space.root.items():
        if parameter.per is None:
            if (stored_name := _stored_name(name, parameter)) in point:
                found[name] = _value(parameter, point[stored_name])
        elif values := tuple(_value(parameter, stored) for stored in _stored_list(name, parameter, point)):
            found[name] = values
        elif found.get(parameter.per) == 0 and space.is_active(name, found):
            found[name] = ()
    return found


def _stored_list(name: str, parameter: Float | Int | Categorical, point: Point) -> Iterator[float]:
    for n in count(1):
        stored_name = _stored_name(nth(name, n), parameter)
        if stored_name not in point:
            return
        yield point[stored_name]


def _stored_name(name: str, parameter: Float | Int | Categorical) -> str:
    is_reversed = isinstance(parameter, Float) and parameter.scale is Scale.REVERSE_LOG
    return f"1-{name}" if is_reversed else name


def _value(parameter: Float | Int | Categorical, stored: float) -> Scalar:
    match parameter:
        case Categorical(choices=choices):
            return choices[int(stored)]
        case Int():
            return int(stored)
        case Float(scale=Scale.REVERSE_LOG, low=low, high=high):
            return _snapped(1.0 - stored, low, high)
        case Float():
            return float(stored)  # A whole number has come through JSON as an int.


def _snapped(value: float, *bounds: float) -> float:
    """Return the bound that a value misses by rounding alone, else the value."""
    return next((bound for bound in bounds if abs(value - bound) < _ROUNDING * max(1.0, abs(bound))), value)


def dimension(name: str, parameter: Float | Int | Categorical) -> Dimension:
    """Return a parameter as Optuna knows it."""
    distribution = _distribution(parameter)
    return Dimension(
        name=name,
        stored_name=_stored_name(name, parameter),
        parameter=parameter,
        distribution=distribution,
        distribution_json=distribution_to_json(distribution),
    )


def _distribution(parameter: Float | Int | Categorical) -> BaseDistribution:
    match parameter:
        case Categorical(choices=choices):
            return CategoricalDistribution(choices)
        case Int(low=low, high=high, scale=scale, step=step):
            return IntDistribution(low, _last_step(low, high, step), log=scale is Scale.LOG, step=step)
        case Float(scale=Scale.REVERSE_LOG, low=low, high=high):
            return FloatDistribution(1.0 - high, 1.0 - low, log=True)
        case Float(low=low, high=high, scale=scale, step=step):
            return _stepped(low, high, step) if step else FloatDistribution(low, high, log=scale is Scale.LOG)


def _last_step(low: int, high: int, step: int) -> int:
    return low + (high - low) // step * step


def _stepped(low: float, high: float, step: float) -> FloatDistribution:
    """Return the distribution of low, low + step, ... up to the last one that is not above `high`.

    Optuna counts the steps in decimals too. It would warn of a range that they do not divide, and once more of
    the end that it rounds that range to, where no double is that end: so it is not asked.
    """
    distribution = FloatDistribution(low, low, step=step)
    first, last, distance = (Decimal(str(number)) for number in (low, high, step))
    distribution.high = float(first + (last - first) // distance * distance)
    return distribution
