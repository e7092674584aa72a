"""The curve of a trial: of the reports of all its attempts those that lead to its end."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from service.diagnosis.case import Curve


def finite(metrics: Mapping[str, float | None]) -> Mapping[str, float]:
    """Return the figures that are numbers."""
    return {name: value for name, value in metrics.items() if value is not None and math.isfinite(value)}


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
