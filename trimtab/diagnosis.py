"""What the doctor goes by, and what it says."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, JsonValue

from trimtab.message import Array, Lax, Message, StudyName, Text


class DiagnosisSpec(Message):
    """What the doctor measures a study by.

    Args:
        target_error: The best that can be reached: by people, or at all (Bayes).
        tolerance: Bias and variance up to this are none; None: 0.02 for classes (of a rare one half of what never
            saying it errs by, if that is less), 0.05 for numbers.
    """

    target_error: Annotated[float, Field(ge=0)] = 0.0
    tolerance: Annotated[float, Field(ge=0)] | None = None


class Condition(StrEnum):
    """What a trial suffers from, by its errors alone."""

    HIGH_BIAS = "high_bias"
    HIGH_VARIANCE = "high_variance"
    HIGH_MISMATCH = "high_mismatch"


class FindingCode(StrEnum):
    """What the doctor can see, in the order in which it is to be mended: each makes those after it hard to judge.

    label_leak              one feature alone tells the answers
    duplicates              validation examples that are training examples too
    shift                   the validation set is not like what training holds out, or not like the test
    small_hold_out          too few validation examples to say anything
    first_loss              the first loss is far above that of a guess
    small_first_weights     hardly anything passes through the untrained network
    diverging               most trials diverge
    out_of_memory           most trials run out of memory
    learning_rate_on_bound  the best learning rates lie at an end of their range
    exploding               gradients grow beyond measure
    vanishing               the first layer's gradient is next to nothing
    dead_units              hidden units that are never active
    bias                    the training error is above what can be reached
    variance                the validation error is above the training error
    mismatch                the validation error is above that of examples like those of the training
    validation_turning_up   the validation error rises while training goes on
    still_improving         the error still falls at the last epoch
    """

    LABEL_LEAK = "label_leak"
    DUPLICATES = "duplicates"
    SHIFT = "shift"
    SMALL_HOLD_OUT = "small_hold_out"
    FIRST_LOSS = "first_loss"
    SMALL_FIRST_WEIGHTS = "small_first_weights"
    DIVERGING = "diverging"
    OUT_OF_MEMORY = "out_of_memory"
    LEARNING_RATE_ON_BOUND = "learning_rate_on_bound"
    EXPLODING = "exploding"
    VANISHING = "vanishing"
    DEAD_UNITS = "dead_units"
    BIAS = "bias"
    VARIANCE = "variance"
    MISMATCH = "mismatch"
    VALIDATION_TURNING_UP = "validation_turning_up"
    STILL_IMPROVING = "still_improving"


class Finding(Message):
    """One thing that the doctor saw.

    Args:
        code: Which.
        figures: What it saw it by.
        text: All of it in words, with what to do.
    """

    code: Annotated[FindingCode, Lax]
    figures: Mapping[str, float | str]
    text: str


class Edit(Message):
    """One change to a study's spec.

    Args:
        path: Of the field in the spec's JSON, dotted: `space.hidden_units.high`.
        was: What is there, or holds there by default; null: nothing. In JSON `from`.
        to: What shall be there; null: nothing.
        reason: Why.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    path: str
    was: JsonValue = Field(alias="from")
    to: JsonValue
    reason: str


class Figures(Message):
    """The errors of a trial, and what follows from them: shares of wrong answers, or RMSE in standard deviations.

    Args:
        training_error: On the training set.
        validation_error: On the validation set.
        train_dev_error: On examples that were held out from where the training set comes from; None: there are none.
        target_error: The best that can be reached.
        bias: Training error over target error.
        variance: Train-dev error over training error; the validation error where there is no train-dev set.
        mismatch: Validation error over train-dev error; None: there is no train-dev set.
        noise: Two standard errors of bias, variance and mismatch, by name; 0 where they were not told.
        tolerance: Up to which bias, variance and mismatch are none.
    """

    training_error: float
    validation_error: float
    train_dev_error: float | None = None
    target_error: float
    bias: float
    variance: float
    mismatch: float | None = None
    noise: Mapping[str, float]
    tolerance: float


class Diagnosis(Message):
    """What the doctor says of a study, or of one of its trials.

    Args:
        study: Which.
        trial: Whose figures these are, of a study its best trial's; None: none is complete.
        conditions: What it suffers from.
        figures: What the conditions go by; None: `reason` says why.
        reason: Why there are no conditions to tell.
        findings: What was seen, first what is to be mended first.
        edits: To the study's spec, in the order in which they are to be tried.
    """

    study: StudyName
    trial: int | None
    conditions: list[Annotated[Condition, Lax]]
    figures: Figures | None = None
    reason: str | None = None
    findings: list[Finding]
    edits: list[Edit]

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        yield from {"study": self.study, "trial": self.trial}.items()
        yield "conditions", [str(condition) for condition in self.conditions]
        yield "findings", [str(finding.code) for finding in self.findings]
        yield "edits", [edit.path for edit in self.edits]

    def _repr_html_(self) -> str:
        from trimtab.html_view import diagnosis_html  # noqa: PLC0415  # only a notebook asks for it

        return diagnosis_html(self)


class Prescription(Message):
    """Which of the doctor's edits make the next study.

    Args:
        name: Of it; by default the study's name with the next number.
        edits: By path; None: all.
    """

    name: StudyName | None = None
    edits: Annotated[tuple[Text, ...], Array, Field(min_length=1, max_length=100)] | None = None
