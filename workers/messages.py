"""What a worker and its children say to each other over a pipe, as JSON: a trial's code is never unpickled."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from trimtab.message import Lax, Message, Metrics, Params, Step, TaskName, Text
from trimtab.states import Outcome
from trimtab.study import DataSpec

MAX_TEXT = 2000
"""Characters of a message that goes into the record of a trial."""


class Order(Message):
    """To a child: train this. It answers with what it measured, epoch by epoch, and with how it ended.

    Args:
        task: How, by name.
        params: All hyperparameters that are not left to their defaults.
        data: On what.
        seed: All the randomness.
    """

    task: TaskName
    params: Params
    data: DataSpec
    seed: int


class Answer(Message):
    """To a child that has measured: train on, or drop the trial and wait for the next order."""

    go_on: bool


class Ready(Message):
    """From a child that has started: it waits for orders.

    Args:
        tasks: What it can train.
        device: What it trains on, for people.
    """

    kind: Literal["ready"] = "ready"
    tasks: Annotated[tuple[TaskName, ...], Lax]
    device: str


class Unfit(Message):
    """From a child that cannot train as it was told to, and ends."""

    kind: Literal["unfit"] = "unfit"
    message: str


class Measured(Message):
    """From a child: an epoch is over. It waits for an answer."""

    kind: Literal["measured"] = "measured"
    step: Step
    metrics: Metrics


class Ended(Message):
    """From a child: the training is over by itself."""

    kind: Literal["ended"] = "ended"
    outcome: Annotated[Outcome, Lax]
    message: Text | None = None


FromChild = Ready | Unfit | Measured | Ended
_FROM_CHILD: TypeAdapter[FromChild] = TypeAdapter(Annotated[FromChild, Field(discriminator="kind")])


def from_child(received: bytes) -> FromChild:
    """Return what a child said.

    Raises:
        ValueError: It is nothing that a child says.
    """
    return _FROM_CHILD.validate_json(received)


def clipped(text: str) -> str:
    """Return words for people as the record can hold them: no NUL, and not too many."""
    return text.replace("\x00", "\\0")[:MAX_TEXT]
