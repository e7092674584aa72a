"""Line charts as shapes for the panels of a picture."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.search.panels import SIDE

LEFT, BOTTOM, TOP = 34, 16, 6
"""Pixels for the labels of the axes, and above the highest point."""

COLOURS = ("#3560b5", "#d33", "#2a8a4a", "#a60", "#848")

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Axis:
    """What an axis spans.

    Args:
        low, high: At its ends.
        is_log: Whether equal factors are equally long.
    """

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return where a value is, in [0, 1]; what is beyond an end is at it."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.is_log:
            low, high, at = map(math.log, (low, high, at))
        return (at - low) / (high - low)


@dataclass(frozen=True)
class Chart:
    """Lines over two axes.

    Args:
        x, y: The axes.
        lines: By name.
    """

    x: Axis
    y: Axis
    lines: dict[str, Points]

    def shapes(self) -> Iterator[str]:
        """Give the elements: axes with their ends, lines, and what each line is."""
        right, floor = SIDE, SIDE - BOTTOM
        yield f'<path d="M{LEFT} {TOP}V{floor}H{right}" fill="none" stroke="#999"/>'
        yield f'<text x="{LEFT - 4}" y="{TOP + 9}" text-anchor="end">{self.y.high:g}</text>'
        yield f'<text x="{LEFT - 4}" y="{floor}" text-anchor="end">{self.y.low:g}</text>'
        yield f'<text x="{LEFT}" y="{SIDE - 3}">{self.x.low:g}</text>'
        yield f'<text x="{right}" y="{SIDE - 3}" text-anchor="end">{self.x.high:g}</text>'
        for place, (name, points) in enumerate(self.lines.items()):
            yield from self._line(name, points, place)

    def _line(self, name: str, points: Points, place: int) -> Iterator[str]:
        colour = COLOURS[place]
        path = " ".join(f"{self._across(x):.1f},{self._down(y):.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        yield f'<text x="{SIDE}" y="{TOP + 10 + 13 * place}" text-anchor="end" fill="{colour}">{name}</text>'

    def _across(self, x: float) -> float:
        return LEFT + self.x.share(x) * (SIDE - LEFT)

    def _down(self, y: float) -> float:
        return TOP + (1 - self.y.share(y)) * (SIDE - BOTTOM - TOP)
