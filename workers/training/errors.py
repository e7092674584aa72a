"""How training ends before its time, and why it cannot go on from where it was."""


class Diverged(Exception):
    """The loss is not finite any more.

    Args:
        step: The epoch in which that was found, counted from 1.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss is not finite in epoch {step}")
        self.step = step


class CheckpointUnusable(Exception):
    """A checkpoint cannot be gone on from: it is torn or foreign."""


class CheckpointTorn(CheckpointUnusable):
    """The file is not what was written."""


class CheckpointForeign(CheckpointUnusable):
    """The file is of another training, or was written by code that trained otherwise."""
