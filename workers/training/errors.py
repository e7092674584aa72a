"""How training ends before its time, and why it cannot go on from where it was."""

from collections.abc import Mapping


class Diverged(Exception):
    """The training gets nowhere any more.

    Args:
        message: What shows it, and where.
        step: The step in which that was found, counted from 1.
        metrics: The figures of that step, finite or not.
    """

    def __init__(self, message: str, *, step: int, metrics: Mapping[str, float]) -> None:
        super().__init__(message)
        self.step = step
        self.metrics = metrics


class CheckpointUnusable(Exception):
    """A checkpoint cannot be gone on from: it is torn or foreign."""


class CheckpointTorn(CheckpointUnusable):
    """The file is not what was written."""


class CheckpointForeign(CheckpointUnusable):
    """The file is of another training, or was written by code that trained otherwise."""


class Uncheckable(Exception):
    """The gradients of a network cannot be checked: its loss is not finite, say, or not the same twice."""


class GradientWrong(Exception):
    """A backward pass does not compute the gradient. The message names tensors and entries."""


class DatasetUnusable(Exception):
    """The file of a data set is not there, is another one, or is none."""
