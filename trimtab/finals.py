"""The final model of a study, from the confirmation of its best trials to the error on the test set."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from trimtab.data import Sha256
from trimtab.message import Lax, Message, Metrics, Params, StudyName, Text, invalid
from trimtab.states import StudyState, TrialState

Reason = Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Confirm(Message):
    """The best trials of a study, trained again.

    Args:
        top: How many of them.
        repeats: Trainings of each, with fresh seeds on the same split; its value is their mean.
    """

    top: Annotated[int, Field(ge=1, le=20)] = 3
    repeats: Annotated[int, Field(ge=2, le=100)] = 5


class FinalRequest(Message):
    """A final model that is asked for.

    Args:
        confirm: What comes before it, and says which trial is best; None: the newest confirmation that there is,
            or where there is none the best trial.
        override: Read the test set although it was read before.
        reason: Why; it is recorded.
    """

    confirm: Confirm | None = None
    override: bool = False
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.override and self.reason is None:
            raise invalid("reason", "is needed for an override: why is the test set to be read again?")
        if self.reason is not None and not self.override:
            raise invalid("reason", "is for an override: the first reading needs none")
        return self


class FinalState(StrEnum):
    r"""How far a final model is.

    confirming --> training --> complete
         \------------\------> failed
    """

    CONFIRMING = "confirming"
    TRAINING = "training"
    COMPLETE = "complete"
    FAILED = "failed"

    @property
    def is_settled(self) -> bool:
        """Whether it is what it will be."""
        return self in {FinalState.COMPLETE, FinalState.FAILED}


class ConfirmedTrial(Message):
    """A trial of a study that was, or is to be, trained again.

    Args:
        trial: Its number.
        state: Of the new training.
        value: The mean of the objective over the repeats; None before.
        standard_error: Of that mean, by how the trainings differ, which all have the same sets; None where it is not
            known.
    """

    trial: int
    state: Annotated[TrialState, Lax]
    value: float | None = None
    standard_error: float | None = None


class Confirmation(Message):
    """The best trials of a study, trained again.

    Args:
        study: That trains them.
        repeats: Trainings of each.
        trials: The best first, as far as they have ended.
    """

    study: StudyName
    state: Annotated[StudyState, Lax]
    repeats: int
    trials: list[ConfirmedTrial]


class TestRead(Message):
    """One reading of a study's test set: it counts from when it is asked for, whatever becomes of it.

    Args:
        study: Whose final model it is for: the study, or one of the same test set that prescriptions link it to.
        final_study: The study that reads it.
        is_override: It had been read before.
        reason: Why it was read again.
    """

    __test__ = False  # pytest takes a class of this name for one of its own.

    study: StudyName
    at: datetime
    final_study: StudyName
    is_override: bool
    reason: str | None = None


class TestError(Message):
    """The error on the test set: a share of wrong answers, or a share of the targets' standard deviation.

    Args:
        low: Lower end of its 95 % interval.
        high: Upper end.
        examples: That it was measured on.
    """

    __test__ = False

    error: float
    low: float
    high: float
    examples: int


class ModelFile(Message):
    """The file of a model, as `trimtab.load_model` reads it.

    Args:
        sha256: In hexadecimal.
        size: In bytes.
    """

    sha256: Sha256
    size: Annotated[int, Field(ge=1)]


class FinalModel(Message):
    """The newest complete final model of a study; before there is one, the newest as far as it is.

    Args:
        study: Whose trial it is of.
        state: Of the newest that was asked for, which may be another one: a model stays while the next is in training,
            and when that fails.
        reason: Why it is in that state, where there is more to say.
        trial: Which trial was chosen; None before.
        params: Of that trial, with the epochs that the model is trained for.
        confirmation: What the choice was made by; None: the trial was the study's best.
        final_study: That trains it; None before.
        metrics: What it came to.
        test: Its error on the test set; None before.
        model: None before it is complete.
        reads: Each reading of the study's test set that its lock counts, the first one first.
    """

    study: StudyName
    state: Annotated[FinalState, Lax]
    reason: str | None = None
    trial: int | None = None
    params: Params = Field(default_factory=dict)
    confirmation: Confirmation | None = None
    final_study: StudyName | None = None
    metrics: Metrics = Field(default_factory=dict)
    test: TestError | None = None
    model: ModelFile | None = None
    reads: list[TestRead] = Field(default_factory=list)
