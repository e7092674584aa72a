"""What is optimised, and what a trial must keep to be any good."""

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field, model_validator

from trimtab.message import Array, Lax, Message, ParamName, invalid
from trimtab.states import Direction

MAX_OBJECTIVES = 8
"""Of a study. The hypervolume of a front takes exponentially longer with each."""

UNKNOWN_EXCESS = 1e150
"""How far beyond its bound a metric is that is not finite: farther than any other. No excess is below its negative."""


class Objective(Message):
    """A metric that is optimised, and which way."""

    metric: ParamName = "validation_error"
    direction: Annotated[Direction, Lax] = Direction.MINIMIZE


class Constraint(Message):
    """A bound on a metric. A trial that does not keep it is not feasible: it is never the best.

    Args:
        metric: Told with every complete trial; it need not be an objective.
        at_most: The largest value that keeps it.
        at_least: The smallest value that keeps it.
    """

    metric: ParamName
    at_most: float | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if self.at_most is None and self.at_least is None:
            raise invalid("", "needs a bound: at_most, at_least or both")
        if self.at_most is not None and self.at_least is not None and self.at_least > self.at_most:
            raise invalid("at_least", f"must not be above at_most: {self.at_least} > {self.at_most}")
        return self

    def excess(self, value: float | None) -> float:
        """Return how far `value` is beyond the bound; zero or less where it is kept. None is not finite."""
        if value is None:
            return UNKNOWN_EXCESS
        beyond = []
        if self.at_most is not None:
            beyond.append(value - self.at_most)
        if self.at_least is not None:
            beyond.append(self.at_least - value)
        return max(-UNKNOWN_EXCESS, min(max(beyond), UNKNOWN_EXCESS))


Objectives = Annotated[tuple[Objective, ...], Array, Field(min_length=1, max_length=MAX_OBJECTIVES)]
Constraints = Annotated[tuple[Constraint, ...], Array, Field(max_length=64)]


def check_distinct(field: str, metrics: Iterable[str]) -> None:
    """Refuse a metric that is named twice."""
    seen: set[str] = set()
    for position, metric in enumerate(metrics):
        if metric in seen:
            raise invalid(f"{field}.{position}.metric", f"is there twice: {metric!r}")
        seen.add(metric)
