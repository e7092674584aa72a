"""A replica's memory of what a pruner compares with: the values of other trials at each step, and at rungs."""

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Curve = Mapping[int, float | None]
"""Step -> the value reported there; None is not finite."""


@dataclass
class Curves:
    """The values of the complete trials of one study at each step.

    Args:
        known: Trials of the study that had ended when the last ones were added.
        complete: How many trials are complete.
        values: For each step the finite values reported there, ascending.
        reports: For each step how many values were reported there, finite or not.
        best: Of the best complete trial, where the pruner looks at no other; None: there is none.
    """

    known: int = 0
    complete: int = 0
    values: dict[int, list[float]] = field(default_factory=dict)
    reports: dict[int, int] = field(default_factory=dict)
    best: Curve | None = None

    def add(self, curves: Iterable[Curve], *, known: int) -> None:
        """Add the curves of the trials that completed up to the `known`-th that ended."""
        fresh: dict[int, list[float]] = {}
        for curve in curves:
            self.complete += 1
            for step, value in curve.items():
                self.reports[step] = self.reports.get(step, 0) + 1
                if value is not None:
                    fresh.setdefault(step, []).append(value)
        for step, values in fresh.items():
            _merge(self.values.setdefault(step, []), values)
        self.known = known

    def lead(self, best: Curve | None, *, known: int) -> None:
        """Take the curve of the best of the trials that completed up to the `known`-th that ended."""
        if known >= self.known:
            self.best = best
            self.known = known


def _merge(ordered: list[float], values: list[float]) -> None:
    if len(values) == 1:
        insort(ordered, values[0])
        return
    ordered.extend(values)
    ordered.sort()


@dataclass
class Rungs:
    """The values of trials that have ended at the rungs that they came to, by trial and name of the rung.

    Args:
        known: Trials of the study that had ended when the last ones were added.
        ended: Of each such trial that came to a rung.
    """

    known: int = 0
    ended: dict[int, Mapping[str, float]] = field(default_factory=dict)
