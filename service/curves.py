"""A replica's memory of the curves of complete trials: for each step the values, in order. What a pruner needs."""

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Curves:
    """The values of the complete trials of one study at each step.

    Args:
        known: Trials of the study that had ended when the last ones were added.
        complete: How many trials are complete.
        values: For each step the finite values reported there, ascending.
    """

    known: int = 0
    complete: int = 0
    values: dict[int, list[float]] = field(default_factory=dict)

    def add(self, curves: Iterable[Mapping[int, float | None]], *, known: int) -> None:
        """Add the curves of the trials that completed up to the `known`-th that ended; None is not finite."""
        fresh: dict[int, list[float]] = {}
        for curve in curves:
            self.complete += 1
            for step, value in curve.items():
                if value is not None:
                    fresh.setdefault(step, []).append(value)
        for step, values in fresh.items():
            _merge(self.values.setdefault(step, []), values)
        self.known = known


def _merge(ordered: list[float], values: list[float]) -> None:
    if len(values) == 1:
        insort(ordered, values[0])
        return
    ordered.extend(values)
    ordered.sort()
