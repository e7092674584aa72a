"""A curve as a small picture beside a figure: steps, as the best value only ever gets better."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 100
HEIGHT = 24
_MARGIN = 2.0


@dataclass(frozen=True)
class Sparkline:
    """A small picture.

    Args:
        path: Of its line, in a box of WIDTH by HEIGHT.
        first: The first value.
        last: The last one.
    """

    path: str
    first: float
    last: float


def sparkline(steps: Sequence[tuple[int, float]], *, finished: int) -> Sparkline | None:
    """Return the picture of a value that holds from each step to the next one; None: there is none yet.

    Args:
        steps: (how many trials had ended, the value from then on), in their order.
        finished: Where the picture ends.
    """
    if not steps:
        return None
    values = [value for _, value in steps]
    across = WIDTH / max(1, finished - 1)
    begin, *turns = [((order - 1) * across, _height(value, min(values), max(values))) for order, value in steps]
    moves = "".join(f"H{x:.1f}V{y:.1f}" for x, y in turns)
    return Sparkline(f"M{begin[0]:.1f} {begin[1]:.1f}{moves}H{WIDTH}", values[0], values[-1])


def _height(value: float, low: float, high: float) -> float:
    """Return how far below the upper edge a value is drawn."""
    share = (value - low) / (high - low) if high > low else 0.5
    return _MARGIN + (1 - share) * (HEIGHT - 2 * _MARGIN)
