"""Which figure of a study is wanted."""

from dataclasses import dataclass
from enum import StrEnum


class FigureName(StrEnum):
    """What can be drawn of a study."""

    IMPORTANCES = "importances"
    SLICES = "slices"
    CONTOUR = "contour"
    PARALLEL = "parallel"
    PARETO = "pareto"
    ROUNDS = "rounds"
    REPLAY = "replay"


@dataclass(frozen=True)
class Wanted:
    """A figure that somebody wants to see.

    Args:
        figure: Which one.
        metric: The objective that it shows; None: the first.
        x: What is drawn from left to right: of a contour a parameter, of a Pareto front an objective; None: the one
            that says most.
        y: Likewise, upwards.
    """

    figure: FigureName
    metric: str | None = None
    x: str | None = None
    y: str | None = None
