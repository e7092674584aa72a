"""What readers see of a study, and what may be changed in it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from trimtab.budget import Budget, Limits
from trimtab.message import MAX_PARAMETERS, Lax, Message, ParamName, Priority, StudyName, Tags
from trimtab.space import Bounds, Space
from trimtab.spec import StudySpec
from trimtab.states import Purpose, StudyState


class Counts(Message):
    """Trials of a study by state."""

    waiting: int = 0
    running: int = 0
    complete: int = 0
    pruned: int = 0
    fail: int = 0

    @property
    def finished(self) -> int:
        """Trials that have reached their end."""
        return self.complete + self.pruned + self.fail


class Alarm(Message):
    """Something about a study that somebody should look at.

    Args:
        code: `best_on_bound`: the best value of a parameter lies within a hundredth of its range from one of its ends,
            so that there may be better ones beyond.
        parameter: Which.
        side: At which end.
        value: The best.
        text: All of it in words.
    """

    code: Literal["best_on_bound"]
    parameter: str
    side: Literal["low", "high"]
    value: float
    text: str


class Round(Message):
    """A round of a study that goes from coarse to fine.

    Args:
        round: From 0.
        space: What is searched in it; each value of a list is a parameter of its own.
        alarms: What was noticed when its space was settled.
        first_number: Of its trials.
    """

    round: int
    space: Space
    alarms: list[Alarm]
    first_number: int
    created_at: datetime


class Used(Message):
    """What a study has used of its budget.

    Args:
        trials: That exist, of those that it counts.
        epochs: Reports recorded; None where it does not limit them.
        seconds: From the first lease until now, or until the study ended; None: there was none.
        device_seconds: Of all leases together, live ones until now.
    """

    trials: int
    epochs: int | None = None
    seconds: float | None = None
    device_seconds: float = 0.0


class ChosenSampler(Message):
    """What chooses the params of a study.

    Args:
        name: A sampler; never `auto`.
        reason: Why it was chosen, where the study left that to the service.
    """

    name: str
    reason: str | None = None


class Study(Message):
    """A study as it is.

    Args:
        spec: What it was asked to be, with every default filled in; its budget, limits, bounds, tags and priority
            as they are now.
        reason: Why it is in its state, where there is more to say.
        sampler: What chooses its params.
        added: Trials among them that came already finished: the budget does not count them.
        alarms: What somebody should look at.
        used: Of its budget.
        closing: Why it comes to its end, while some of its trials have not: no more are handed out.
        warnings: What whoever asked for it should know, such as that it may never end.
        purpose: What it is for.
        parent: The study that it follows; None: none, or one that was deleted.
        children: The studies that follow it.
        completed_at: When it ended; None before.
    """

    name: StudyName
    state: Annotated[StudyState, Lax]
    reason: str | None = None
    spec: StudySpec
    sampler: ChosenSampler | None = None
    counts: Counts
    added: int = 0
    alarms: list[Alarm] = Field(default_factory=list)
    used: Used = Used(trials=0)
    closing: str | None = None
    warnings: list[str] = Field(default_factory=list)
    purpose: Annotated[Purpose, Lax] = Purpose.SEARCH
    parent: StudyName | None = None
    children: list[StudyName] = Field(default_factory=list)
    created_at: datetime
    completed_at: datetime | None = None

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        # Of a spec that fills a screen nothing: who looks at a study has asked how far it is.
        yield from {"name": self.name, "state": str(self.state), "counts": self.counts}.items()


class StudyChange(Message):
    """What is to be otherwise in a study. What is left out, or null, stays as it is.

    Args:
        state: `paused`: no trial is handed out until it is `running` again. `stopped`: likewise, and whoever waits for
            the study's end has it. Trials that run may come to their end.
        budget: Of its limits those that are given; null takes one away. A larger one reopens a study that is complete.
        limits: Of an attempt for leases given from now on, of a step from each lease's next report on. A limit that is
            left out stays as it is; null takes it away, or gives a study with a task the hour a step that is its own.
        space: Other bounds of numbers that are searched. Trials outside them are kept, and teach the sampler nothing.
        tags: All that it is to have.
        priority: Of the trials that are handed out from now on.
    """

    state: Literal["paused", "running", "stopped"] | None = None
    budget: Budget | None = None
    limits: Limits | None = None
    space: Annotated[dict[ParamName, Bounds], Field(min_length=1, max_length=MAX_PARAMETERS)] | None = None
    tags: Tags | None = None
    priority: Priority | None = None
