"""What readers see of a worker."""

from datetime import datetime

from trimtab.message import Message, StudyName


class HeldTrial(Message):
    """A trial that a worker is on."""

    study: StudyName
    trial: int
    since: datetime


class Worker(Message):
    """A worker that has asked for trials.

    Args:
        is_alive: Whether it was seen within the time that a lease lives, or is waiting for a trial.
        trials: What it is doing.
    """

    name: str
    host: str | None = None
    device: str | None = None
    is_alive: bool
    trials: list[HeldTrial]
    first_seen_at: datetime
    last_seen_at: datetime
