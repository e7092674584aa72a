"""What a model is, apart from its weights: as JSON in its file."""

from typing import Annotated, Any, Literal

from pydantic import Field

from trimtab.data import Problem, Sha256
from trimtab.finals import TestError
from trimtab.message import Array, Lax, Message, Metrics, Params
from trimtab.models.descriptions import Description, Size

FORMAT: Literal[1] = 1
"""Of the file. One with another number is not read."""


class Origin(Message):
    """Where a model comes from.

    Args:
        study: That trained it.
        trial: Of that study.
        datasets: The SHA-256 of each data set that is not built in; None of one that is.
        split: The SHA-256 of which example was where.
    """

    study: str
    trial: int
    datasets: dict[str, Sha256 | None]
    split: Sha256


class Card(Message):
    """What a model is.

    Args:
        format: Of the file.
        task: That its network is of.
        hyperparameters: All of them.
        network: What the network is; None: the user's own code builds it.
        inputs: Shape of what the network takes in of an example.
        outputs: Of the network: classes, or 1 for a number.
        problem: What it answers.
        preprocessing: From rows to inputs and from outputs to answers (trimtab.models.preprocessing), as plain values.
        metrics: What the training came to.
        test: The error on the test set.
        origin: Where it comes from.
    """

    format: Literal[1] = FORMAT
    task: str
    hyperparameters: Params
    network: Description | None
    inputs: Annotated[tuple[Size, ...], Array]
    outputs: Size
    problem: Annotated[Problem, Lax]
    preprocessing: dict[str, Any] = Field(repr=False)
    metrics: Metrics
    test: TestError | None
    origin: Origin
