"""What readers see of a worker."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from trimtab.message import Message, StudyName

Bytes = Annotated[int, Field(ge=0, lt=2**53)]
"""As large as every reader of JSON knows exactly."""


class DeviceMemory(Message):
    """The memory of a device, whoever uses it, in bytes."""

    used: Bytes
    total: Bytes


class HeldTrial(Message):
    """A trial that a worker is on."""

    study: StudyName
    trial: int
    since: datetime


class Worker(Message):
    """A worker that has asked for trials.

    Args:
        is_alive: Whether it was seen within the time that a lease lives, or is waiting for a trial.
        tasks: That it can train, as it said when it asked last.
        trials: What it is doing.
        device_memory: Of the device that it asked for last; None: it did not say, as where it trains on the CPU.
    """

    name: str
    host: str | None = None
    device: str | None = None
    tasks: list[str] = Field(default_factory=list)
    is_alive: bool
    trials: list[HeldTrial]
    device_memory: DeviceMemory | None = None
    first_seen_at: datetime
    last_seen_at: datetime
