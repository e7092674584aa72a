"""A curve in one line of text."""

import math
from collections.abc import Iterable, Sequence

from trimtab.protocol import RecordedReport

_LEVELS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], columns: int) -> str:
    """Return a curve as blocks of eight heights, the lowest for the smallest value; what is not finite is a blank.

    Args:
        values: In the order of their steps.
        columns: At most so many; of the values that share one the last is shown.
    """
    shown = values if len(values) <= columns else [values[_last(at, len(values), columns)] for at in range(columns)]
    finite = [value for value in shown if value is not None and math.isfinite(value)]
    if not finite:
        return " " * len(shown)
    low, high = min(finite), max(finite)
    return "".join(_block(value, low, high) for value in shown)


def curve(reports: Iterable[RecordedReport], metric: str) -> dict[int, float | None]:
    """Return the values of a metric by step: of one that was reported again, by a later attempt, the last."""
    by_step = {report.step: report.metrics.get(metric) for report in reports}
    return dict(sorted(by_step.items()))


def _last(column: int, count: int, columns: int) -> int:
    return (column + 1) * count // columns - 1


def _block(value: float | None, low: float, high: float) -> str:
    if value is None or not math.isfinite(value):
        return " "
    share = (value - low) / (high - low) if high > low else 0.0
    return _LEVELS[min(int(share * len(_LEVELS)), len(_LEVELS) - 1)]
