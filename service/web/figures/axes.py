"""The parameters of a study as axes of a picture: in our names, on the scale on which each is searched.

Optuna stores a reverse_log parameter as its distance from one. Here it is drawn by the power of ten of that distance,
so that greater values are greater, and what people read are the values.
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from service.storage.dimensions import Dimension
from service.web import words
from service.web.figures.labels import Label, distinct
from trimtab.message import Scalar
from trimtab.space import Categorical, Float, Scale

_STEPS = (1, 2, 5)
"""Of a power of ten: where an axis has its marks."""

_VERY_MUCH = 30
"""Between the least and the greatest: on an even scale a few bad trials would press all others onto zero."""

_FEWEST_MARKS = 3
_MOST_MARKS = 7
_ROUNDING = 1e-9

_FARTHEST = sys.float_info.max / 4
"""From zero: how far values are apart, and room beside them, has to be a number too."""


@dataclass(frozen=True)
class Axis:
    """A parameter as it is drawn."""

    dimension: Dimension

    @property
    def name(self) -> str:
        """What the spec calls it."""
        return self.dimension.name

    @property
    def is_reversed(self) -> bool:
        """Whether it is searched by its distance from one."""
        parameter = self.dimension.parameter
        return isinstance(parameter, Float) and parameter.scale is Scale.REVERSE_LOG

    @property
    def is_choice(self) -> bool:
        """Whether it is one of a list of values."""
        return isinstance(self.dimension.parameter, Categorical)

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        """Of its choices, where these are not all numbers."""
        parameter = self.dimension.parameter
        if not isinstance(parameter, Categorical) or all(map(_is_number, parameter.choices)):
            return ()
        return distinct(map(words.choice, parameter.choices))

    @cached_property
    def distribution(self) -> BaseDistribution:
        """What is drawn, as Optuna's pictures ask for it."""
        stored = self.dimension.distribution
        if self.labels:
            return CategoricalDistribution(self.labels)
        if self.is_reversed and isinstance(stored, FloatDistribution):
            return FloatDistribution(-math.log10(stored.high), -math.log10(stored.low))
        return stored

    def drawn(self, stored: float) -> str | float:
        """Return what is drawn of the number that is stored."""
        if self.labels:
            return self.labels[int(stored)]
        if self.is_choice:
            return self._choice(stored)
        return looked_at(-math.log10(stored) if self.is_reversed else float(self.dimension.value(stored)))

    def _choice(self, stored: float) -> float:
        value = self.dimension.value(stored)
        assert isinstance(value, int | float), "choices that are no numbers have labels"
        return value

    def text(self, drawn: str | float) -> str:
        """Return what people read of what is drawn."""
        if isinstance(drawn, str):
            return drawn
        return near_one(drawn) if self.is_reversed else words.number(drawn)

    def marks(self, drawn: Sequence[float]) -> tuple[list[float], list[str]] | None:
        """Return where the axis has marks, and their words; None: where Plotly has them."""
        if self.is_reversed:
            places = _round_places(min(drawn), max(drawn), steps=[-math.log10(step) for step in _STEPS])
            return places, [near_one(place) for place in places]
        if not getattr(self.dimension.distribution, "log", False):
            return None
        return log_marks(drawn)


def log_marks(drawn: Sequence[float]) -> tuple[list[float], list[str]]:
    """Return where a logarithmic axis of such values has marks, and their words."""
    low, high = math.log10(min(drawn)), math.log10(max(drawn))
    values = [10**place for place in _round_places(low, high, steps=[math.log10(step) for step in _STEPS])]
    return values, [words.number(value) for value in values]


def scale(values: Sequence[float]) -> dict[str, object]:
    """Return what an axis of such values has of its own: marks on a logarithmic scale, or nothing where it is even."""
    if not is_log(values):
        return {}
    places, texts = log_marks(values)
    return {"type": "log", "tickmode": "array", "tickvals": places, "ticktext": texts}


def is_log(values: Sequence[float]) -> bool:
    """Return whether values are drawn by their logarithm: the same rule as that of curves (static/chart.js)."""
    return min(values) > 0 and max(values) / min(values) > _VERY_MUCH


def _is_number(choice: Scalar) -> bool:
    return isinstance(choice, int | float) and not isinstance(choice, bool)


def looked_at(value: float) -> float:
    """Return a number in as many digits as a picture shows, and as far from zero: half as much is sent."""
    return float(f"{min(max(value, -_FARTHEST), _FARTHEST):.6g}")


def near_one(place: float) -> str:
    """Return 1 - 10^-place in as many digits as tell it from its neighbours."""
    distance = 10.0**-place
    decimals = max(1, math.ceil(-math.log10(distance) - _ROUNDING) + 1)
    return f"{1 - distance:.{decimals}f}".rstrip("0").rstrip(".") or "0"


def _round_places(low: float, high: float, *, steps: Sequence[float]) -> list[float]:
    """Return where round numbers lie between two powers of ten; the ends and the middle where there are too few."""
    tens = range(math.floor(low) - 1, math.ceil(high) + 2)
    for of_ten in (steps[:1], steps):
        inside = sorted(place for ten in tens for step in of_ten if low <= (place := ten + step) <= high)
        if len(inside) >= _FEWEST_MARKS:
            return inside[:: math.ceil(len(inside) / _MOST_MARKS)]
    return sorted({low, (low + high) / 2, high})
