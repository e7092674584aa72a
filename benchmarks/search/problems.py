"""The problems of the suite: a space, a loss at each of its points, and where the loss is least."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from trimtab.message import FlatParams
from trimtab.space import Space


@dataclass(frozen=True)
class Problem:
    """A search whose best possible result is known.

    Args:
        name: In tables and on the command line.
        space: What is searched.
        loss: To be minimised; without noise.
        best: A point where nothing in the space has a smaller loss.
        is_narrow_valley: Near the best point, the loss stays low along one direction and rises steeply across it, a
            hundred times as fast or more.
    """

    name: str
    space: Space
    loss: Callable[[FlatParams], float]
    best: FlatParams
    is_narrow_valley: bool = False

    @cached_property
    def optimum(self) -> float:
        """The least loss in the space."""
        return self.loss(self.best)

    def regret(self, loss: float) -> float:
        """Return how far a loss is above the least one."""
        return loss - self.optimum
