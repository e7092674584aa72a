"""What a worker and its children say to each other over a pipe, as JSON: a trial's code is never unpickled."""

import hashlib
import json
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from trimtab.data import Sha256
from trimtab.message import Lax, Message, Metrics, Params, Step, TaskName, Text
from trimtab.protocol import DeviceMemory
from trimtab.spec import TaskSpec
from trimtab.states import Outcome, Purpose

MAX_TEXT = 2000
"""Characters of a message that goes into the record of a trial."""


class CheckpointFile(Message):
    """A checkpoint on this machine.

    Args:
        path: Of the file.
        sha256: Of its content, in hexadecimal.
    """

    path: str
    sha256: str


class WrittenModel(Message):
    """The file of a final model on this machine.

    Args:
        path: Of the file.
        sha256: Of its content, in hexadecimal.
    """

    path: str
    sha256: str


class ModelOrder(Message):
    """To a child that trains a final model: write it to a file when it is over.

    Args:
        path: Where to.
        study: That it is trained for.
        trial: Likewise.
    """

    path: str
    study: str
    trial: int


class Order(Message):
    """To a child: train this. It says that it has begun, what it measured, epoch by epoch, and how it ended.

    Args:
        task: How, and on what.
        params: All hyperparameters that are not left to their defaults.
        seed: All the randomness.
        purpose: What the trial is for.
        files: The data sets that are not built in, by name: where they are on this machine.
        checkpoint: Where to go on; None, or one that cannot be gone on from: from the first epoch.
        model: Where the model is to be written; None: it is not wanted.
        is_checked_first: Whether the gradients are, before the first epoch.
    """

    task: TaskSpec
    params: Params
    seed: int
    purpose: Annotated[Purpose, Lax] = Purpose.SEARCH
    files: dict[str, str] = Field(default_factory=dict)
    checkpoint: CheckpointFile | None = None
    model: ModelOrder | None = None
    is_checked_first: bool = False

    @property
    def identity(self) -> str:
        """SHA-256 of what is trained, wherever it goes on from."""
        trained = self.model_dump(mode="json", exclude={"checkpoint", "files", "model", "is_checked_first"})
        return hashlib.sha256(json.dumps(trained, sort_keys=True).encode()).hexdigest()


class Answer(Message):
    """To a child that has measured: train on, or drop the trial and wait for the next order.

    Args:
        go_on: Whether to train on. A child that drops its trial says that it has ended, released.
        save_to: Where to write a checkpoint first; None: nowhere. After the last epoch none is written. A child that
            trains its next epoch writes none either, and waits for an answer after that one.
    """

    go_on: bool
    save_to: str | None = None


class Ready(Message):
    """From a child that has started: it waits for orders.

    Args:
        tasks: What it can train.
        device: What it trains on, for people.
        device_memory: Of that device; None: it has none of its own.
    """

    kind: Literal["ready"] = "ready"
    tasks: Annotated[tuple[TaskName, ...], Lax]
    device: str
    device_memory: DeviceMemory | None = None


class Unfit(Message):
    """From a child that cannot train as it was told to, and ends."""

    kind: Literal["unfit"] = "unfit"
    message: str


class Begun(Message):
    """From a child: it has heard the order. What happens to it from now on may be the trial's fault."""

    kind: Literal["begun"] = "begun"


class Measured(Message):
    """From a child: an epoch is over. Until it has an answer it says no more, but it may train the next epoch.

    Args:
        step: Which one.
        metrics: What it led to.
        split: SHA-256 of who trains and who validates, in what data; None: it is no training.
    """

    kind: Literal["measured"] = "measured"
    step: Step
    metrics: Metrics
    split: Sha256 | None = None


class Saved(Message):
    """From a child that was told to: the checkpoint is written.

    Args:
        path: Where.
        step: The epoch after which.
        sha256: Of the file, in hexadecimal.
        size: Of the file, in bytes.
    """

    kind: Literal["saved"] = "saved"
    path: str
    step: Step
    sha256: str
    size: int


class Unsaved(Message):
    """From a child that was told to: the checkpoint could not be written. It trains on."""

    kind: Literal["unsaved"] = "unsaved"
    message: Text


class Ended(Message):
    """From a child: the training is over, by itself or as it was told.

    Args:
        outcome: How.
        step: The one that the metrics belong to; None: there are none.
        metrics: What it came to. Of a trial that did not come to its end the service knows the last report.
        message: What went wrong, for people.
        model: The file of the model, where one was wanted.
        split: As of what was measured; None too where it failed before that was known.
        device_memory: Of the device, with what the training took of it; None: it has none of its own.
        is_spent: Whether no other training is to be trusted to this process.
    """

    kind: Literal["ended"] = "ended"
    outcome: Annotated[Outcome, Lax]
    step: Step | None = None
    metrics: Metrics = Field(default_factory=dict)
    message: Text | None = None
    model: WrittenModel | None = None
    split: Sha256 | None = None
    device_memory: DeviceMemory | None = None
    is_spent: bool = False


FromTraining = Begun | Measured | Saved | Unsaved | Ended
"""From a child that was given an order."""

FromChild = Ready | Unfit | FromTraining
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
