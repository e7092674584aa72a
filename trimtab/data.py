"""What a task is trained on: a data set, and how its examples are dealt out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from trimtab.message import Message, ParamName, Seed, Text, invalid

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

ColumnName = Annotated[Text, Field(min_length=1, max_length=200)]

DatasetName = ParamName
"""Of a data set, built in or put."""


class Problem(StrEnum):
    """What is learned of an example: one of some classes, or a number."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


HoldOut = Annotated[float, Field(gt=0, lt=1)] | Annotated[int, Field(ge=1)]
"""A share of the examples, or how many."""


class SplitSpec(Message):
    """How examples are dealt out to training, validation and test.

    Classes keep their shares in each set; with a group column whole groups do, and with a time column the latest
    examples are held out: test after validation after training.

    Args:
        method: `auto`: where nothing else is said, min(0.2 n, 10,000) of n examples for validation, as many for test.
        validation: How much is held out for validation.
        test: How much is held out for the test.
        folds: Cross-validation: all that is not held out for the test is dealt to so many folds, each of which
            validates what was trained on the others.
        group: A column; examples that have the same in it stay together. No feature.
        time: A column; it orders the examples. No feature.
        seed: The deal.
    """

    method: Literal["auto"] = "auto"
    validation: HoldOut | None = None
    test: HoldOut | None = None
    folds: Annotated[int, Field(ge=2, le=100)] | None = None
    group: ColumnName | None = None
    time: ColumnName | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _is_one_deal(self) -> Self:
        if self.folds and self.validation is not None:
            raise invalid("validation", "is not for folds: each of them validates in its turn")
        if self.group and self.time:
            raise invalid("time", "does not go with a group: a group may lie on both sides of a point in time")
        return self


class DataSpec(Message):
    """What a task is trained on.

    Args:
        dataset: By name. Where there is a validation data set, this one is held apart for training, and a part of it
            for telling variance and mismatch apart (train-dev).
        validation_dataset: Where the validation examples come from, if not from `dataset`; where no test data set is
            given, half of it is the test set.
        test_dataset: Where the test examples come from.
        contents: The SHA-256 of each data set that is not built in, by its name: settled when a study is created.
        normalization: Of the features: `standard`: mean 0 and variance 1 on the training set.
        split: Every trial of a study sees the same split.
    """

    dataset: DatasetName = "digits"
    validation_dataset: DatasetName | None = None
    test_dataset: DatasetName | None = None
    contents: dict[DatasetName, Sha256] = Field(default_factory=dict, max_length=3)
    normalization: Literal["standard", "none"] = "standard"
    split: SplitSpec = SplitSpec()

    @property
    def datasets(self) -> tuple[str, ...]:
        """The data sets that it names, each once."""
        named = (self.dataset, self.validation_dataset, self.test_dataset)
        return tuple(dict.fromkeys(name for name in named if name))

    @model_validator(mode="after")
    def _has_one_validation_set(self) -> Self:
        if self.validation_dataset and self.split.folds:
            raise invalid("split.folds", "does not go with a validation data set: each fold validates in its turn")
        if self.test_dataset and self.split.test is not None:
            raise invalid("split.test", "does not go with a test data set: all of that is the test")
        return self

    @model_validator(mode="after")
    def _holds_examples_apart(self) -> Self:
        if self.validation_dataset == self.dataset:
            raise invalid("validation_dataset", "is what is trained on: leave it out, and a part of that is held out")
        if self.test_dataset and self.test_dataset in {self.dataset, self.validation_dataset}:
            raise invalid("test_dataset", "is trained on or validates: leave it out, and a part of that is held out")
        return self


@dataclass(frozen=True)
class Missing:
    """Examples that have no value in a column.

    Args:
        examples: How many.
        first_row: The first of them, counted from 1; None: that was not noted.
    """

    examples: int
    first_row: int | None = None


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a data set without its examples.

    Args:
        problem: What is learned.
        examples: How many.
        columns: The features by name, in their order; of images none.
        classes: How many; 0: none, the target is a number.
        image: Channels, height and width; None: the examples are no images.
        labels: What the classes are called, in the order of their numbers.
        class_sizes: Examples of each class.
        categories: Those of the columns that hold no numbers and no times.
        missing: Of each column that lacks values, which.
        groups: Of each of `categories`, how many groups it makes: those without a value are one.
    """

    problem: Problem
    examples: int
    columns: tuple[str, ...] = ()
    classes: int = 0
    image: tuple[int, int, int] | None = None
    labels: tuple[str, ...] = ()
    class_sizes: tuple[int, ...] = ()
    categories: tuple[str, ...] = ()
    missing: Mapping[str, Missing] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)


def _numbered(count: int) -> tuple[str, ...]:
    return tuple(f"x{number}" for number in range(1, count + 1))


def _classes(sizes: Mapping[str, int], columns: int = 0, image: tuple[int, int, int] | None = None) -> DatasetFacts:
    return DatasetFacts(
        Problem.CLASSIFICATION,
        sum(sizes.values()),
        _numbered(columns),
        classes=len(sizes),
        image=image,
        labels=tuple(sizes),
        class_sizes=tuple(sizes.values()),
    )


_DIGITS = (178, 182, 177, 183, 181, 182, 181, 179, 174, 180)

BUILT_IN = {
    "digits": _classes({str(digit): size for digit, size in enumerate(_DIGITS)}, image=(1, 8, 8)),
    "breast_cancer": _classes({"malignant": 212, "benign": 357}, columns=30),
    "wine": _classes({"class_0": 59, "class_1": 71, "class_2": 48}, columns=13),
    "iris": _classes({"setosa": 50, "versicolor": 50, "virginica": 50}, columns=4),
    "diabetes": DatasetFacts(Problem.REGRESSION, 442, _numbered(10)),
    "moons": _classes({"0": 500, "1": 500}, columns=2),
    "spirals": _classes({"0": 500, "1": 500}, columns=2),
}
"""The data sets that need not be put: those that scikit-learn carries, and two that are drawn."""
