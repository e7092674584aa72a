"""The curve of a trial: of the reports of all its attempts those that lead to its end."""

from collections.abc import Iterable, Mapping
from typing import Any

from service.diagnosis.case import Curve

LARGEST = 1e100
"""Of a figure: sums, differences and ratios of figures up to it, and from 1 / LARGEST up, are finite."""


def finite(metrics: Mapping[str, float | None]) -> Mapping[str, float]:
    """Return the figures that can be reckoned with; what is next to nothing is zero."""
    there = {name: value for name, value in metrics.items() if value is not None and abs(value) <= LARGEST}
    return {name: value if abs(value) * LARGEST >= 1 else 0.0 for name, value in there.items()}


def curve(reports: Iterable[Mapping[str, Any]]) -> Curve:
    """Return the curve that reports lead to, by step.

    Args:
        reports: With `attempt`, `step` and `metrics`, in that order. Where a later attempt begins, the curve is cut.
    """
    points: dict[int, Mapping[str, float]] = {}
    attempt = None
    for report in reports:
        if report["attempt"] != attempt:
            attempt = report["attempt"]
            points = {step: point for step, point in points.items() if step < report["step"]}
        points[report["step"]] = finite(report["metrics"])
    return list(points.values())
