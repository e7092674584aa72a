"""How training ends before its time."""


class Diverged(Exception):
    """The loss is not finite any more.

    Args:
        step: The epoch in which that was found, counted from 1.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"the loss is not finite in epoch {step}")
        self.step = step
