"""Data sets as the service tells of them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from trimtab.data import BUILT_IN, ColumnName, DatasetFacts, DatasetName, Missing, Problem, Sha256
from trimtab.message import Array, Lax, Message, Text


class ColumnKind(StrEnum):
    """What a column of a table holds."""

    NUMBER = "number"
    CATEGORY = "category"
    TIME = "time"


class TargetKind(StrEnum):
    """What is to be learned; auto: of words, truth values and integers of at most 20 different values, classes."""

    AUTO = "auto"
    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class DatasetColumn(Message):
    """A column of a table that examples are told apart by.

    Args:
        categories: How many there are; None: it holds none.
        missing: Examples that have no value in it; None: it was put by a release that did not count them.
        first_missing: The row of the first of them, counted from 1; None: there is none, or that was not noted.
    """

    name: ColumnName
    kind: Annotated[ColumnKind, Lax]
    categories: int | None = None
    missing: int | None = None
    first_missing: int | None = None


class ClassCount(Message):
    """A class, and how many examples it has."""

    label: Text
    examples: int


Image = Annotated[tuple[int, int, int], Array]
"""Channels, height and width."""


class DatasetDescription(Message):
    """What is in a data set.

    Args:
        target: The column that is learned; None: there are none, or the data set is built in.
        columns: Of a table: all but the target, in their order.
        classes: In the order of their numbers; empty: the target is a number.
        image: Its size, if the examples are images.
        warnings: What to look at.
    """

    problem: Annotated[Problem, Lax]
    target: Text | None = None
    examples: int
    columns: list[DatasetColumn] = Field(default_factory=list)
    classes: list[ClassCount] = Field(default_factory=list)
    image: Image | None = None
    warnings: list[Text] = Field(default_factory=list)

    @property
    def facts(self) -> DatasetFacts:
        """The same as studies are checked against."""
        return DatasetFacts(
            self.problem,
            self.examples,
            tuple(column.name for column in self.columns),
            classes=len(self.classes),
            image=self.image,
            labels=tuple(found.label for found in self.classes),
            class_sizes=tuple(found.examples for found in self.classes),
            categories=tuple(column.name for column in self.columns if column.kind is ColumnKind.CATEGORY),
            missing={
                column.name: Missing(column.missing, column.first_missing) for column in self.columns if column.missing
            },
            # Where nobody counted those without a value there may be some.
            groups={
                column.name: column.categories + (column.missing != 0) for column in self.columns if column.categories
            },
        )


class Dataset(DatasetDescription):
    """A version of a data set.

    Args:
        version: The n-th content of that name; 0: it is built in.
        sha256: Of the file as workers read it; None: it is built in.
        size: Of that file, in bytes; likewise.
        created_at: Likewise.
    """

    name: DatasetName
    version: int
    sha256: Sha256 | None = None
    size: int | None = None
    created_at: datetime | None = None


def built_in(name: str) -> Dataset | None:
    """Return a data set that need not be put; None: there is none of that name."""
    facts = BUILT_IN.get(name)
    if facts is None:
        return None
    counts = zip(facts.labels, facts.class_sizes, strict=True)
    return Dataset(
        name=name,
        version=0,
        problem=facts.problem,
        examples=facts.examples,
        columns=[DatasetColumn(name=column, kind=ColumnKind.NUMBER, missing=0) for column in facts.columns],
        classes=[ClassCount(label=label, examples=examples) for label, examples in counts],
        image=facts.image,
    )
