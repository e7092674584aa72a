"""What a lease asks for, whatever that is: steps that are measured, with a state between them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

State = dict[str, Any]
"""Tensors and plain values by name, nested: what `torch.load(weights_only=True)` reads."""

Heed = Callable[[], None]
"""Called between batches; ends the training by what it raises."""


def heed_nothing() -> None:
    """Let a training go on."""


@dataclass(frozen=True)
class Epoch:
    """One step: a pass over the training set, or, with folds and repeats, a whole training.

    Args:
        step: Which one, counted from 1.
        metrics: What it led to, by name.
    """

    step: int
    metrics: dict[str, float]


class Steps(Protocol):
    """What is done step by step: the same arguments and the state of one give another that goes on as it would have."""

    @property
    def is_over(self) -> bool:
        """Whether the last step is behind it."""
        ...

    @property
    def split(self) -> str | None:
        """SHA-256 of who trains, validates and is kept for the test, in what data; None: nobody does."""
        ...

    def epochs(self, heed: Heed = heed_nothing) -> Iterator[Epoch]:
        """Go on to the end; yield after each step what it led to.

        Raises:
            Diverged: It is of no use to go on.
        """
        ...

    @property
    def result(self) -> Epoch:
        """What it came to, once it is over: the step that was kept, its figures, and what else is known."""
        ...

    def state(self) -> State:
        """Return all that the steps to come depend on. It changes with them: it is no copy."""
        ...

    def restore(self, state: State) -> None:
        """Go on from the state of another.

        Raises:
            CheckpointForeign: That was none like this one in the midst of it. This one is of no use any more.
        """
        ...
