"""What is learned: classes, or a number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from service.datasets import categories, numbers
from service.datasets.unfit import Problems, refuse, shown
from trimtab.data import Problem
from trimtab.datasets import ClassCount, TargetKind

FEW = 20
"""Integers of no more different values are classes, if nothing else is said."""

MOST = 1000
"""Classes; each is an output of the network."""

_LONGEST = 200
"""Characters of a class's name."""


@dataclass(frozen=True)
class Target:
    """What is learned.

    Args:
        problem: Of which kind.
        y_N: Classes from 0, int64; or numbers, float64.
        classes: In the order of their numbers.
        warnings: What to look at.
    """

    problem: Problem
    y_N: NDArray[Any]
    classes: Sequence[ClassCount] = ()
    warnings: Sequence[str] = ()


def read(values: pa.ChunkedArray, column: str, kind: TargetKind, *, is_typed: bool) -> Target:
    """Return what a column says is to be learned.

    Args:
        values: Of the column.
        column: What it is called.
        kind: As what it is learned.
        is_typed: Whether the file itself says what is text and what is a number.

    Raises:
        Unfit: It cannot be.
    """
    values = numbers.plain(values)
    if numbers.is_misencoded(values):
        refuse(f"column {column}", numbers.NOT_TEXT)
    if not numbers.is_text(values.type) and not numbers.is_number(values.type) and not pa.types.is_null(values.type):
        remedy = "give times as numbers, such as days since the first" if numbers.is_point_in_time(values.type) else ""
        text = f"holds {values.type}: classes or numbers can be learned"
        refuse(f"column {column}", f"{text}; {remedy}" if remedy else text)
    _check_missing(values, column)
    if kind is TargetKind.AUTO and numbers.is_text(values.type) and not is_typed:
        _check_words(values, column)
    if _is_of_classes(values, kind):
        return _of_classes(values, column)
    return _of_numbers(values, column)


def counted(codes_N: NDArray[np.int64], labels: Sequence[str], field: str) -> Target:
    """Return a target of classes.

    Args:
        codes_N: From 0, each class at least once.
        labels: In the order of the codes.
        field: Where they are.

    Raises:
        Unfit: There is one class only, or too many, or one that has no name.
    """
    _check_labels(labels, field)
    sizes = np.bincount(codes_N, minlength=len(labels)).tolist()
    classes = [ClassCount(label=label, examples=size) for label, size in zip(labels, sizes, strict=True)]
    alone = [found.label for found in classes if found.examples == 1]
    text = "class {} has one example: it cannot be in more than one of training, validation and test"
    return Target(Problem.CLASSIFICATION, codes_N, classes, [text.format(shown(label)) for label in alone[:10]])


def _check_missing(values: pa.ChunkedArray, column: str) -> None:
    is_missing = pc.is_null(values, nan_is_null=pa.types.is_floating(values.type))
    rows = np.flatnonzero(is_missing.to_numpy())
    problems = Problems()
    text = "is missing: an example without what is to be learned teaches nothing; give it, or leave out the row"
    problems.add_cells(rows.tolist(), column, text)
    problems.settle()


def _check_words(values: pa.ChunkedArray, column: str) -> None:
    """Refuse a word or a few among numbers: they would make a class of each number."""
    problems = Problems()
    remedy = "mend it, or leave out the row; if they are classes: kind=classification"
    categories.check_words(values, column, problems, remedy=remedy)
    problems.settle()


def _is_of_classes(values: pa.ChunkedArray, kind: TargetKind) -> bool:
    if kind is not TargetKind.AUTO:
        return kind is TargetKind.CLASSIFICATION
    if numbers.is_text(values.type) or pa.types.is_boolean(values.type):
        return True
    return bool(pa.types.is_integer(values.type)) and pc.count_distinct(values).as_py() <= FEW


def _of_classes(values: pa.ChunkedArray, column: str) -> Target:
    codes, labels = _coded(values)
    if len(labels) > MOST:
        _refuse_many(len(labels), f"column {column}", hint=_first_word(values) if numbers.is_text(values.type) else "")
    learned = counted(codes, labels, f"column {column}")
    alone = sum(known.examples == 1 for known in learned.classes)
    if len(labels) > FEW and 2 * alone > len(labels):
        text = f"has {len(labels)} classes, {alone} of them with one example: to learn a number: kind=regression"
        refuse(f"column {column}", text)
    return learned


def _coded(values: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Return classes from 0, and what they are called."""
    if numbers.is_text(values.type):
        codes_N, labels = categories.coded(values)
        return codes_N.astype(np.int64), labels
    # As they are: beyond 2^53 not every integer is a double.
    plain = values.to_numpy() if pa.types.is_integer(values.type) else numbers.floats(values)
    found, codes = np.unique(plain, return_inverse=True)
    if pa.types.is_boolean(values.type):
        return codes, [str(bool(number)).lower() for number in found]
    return codes, [_label(number) for number in found.tolist()]


def _label(number: float) -> str:
    return repr(number) if isinstance(number, float) and not number.is_integer() else str(int(number))


def _check_labels(labels: Sequence[str], field: str) -> None:
    if len(labels) == 1:
        refuse(field, f"has one class only, {shown(labels[0])}: there is nothing to tell apart")
    if len(labels) > MOST:
        _refuse_many(len(labels), field)
    for label in labels:
        if len(label) > _LONGEST or "\x00" in label:
            refuse(field, f"has a class whose name cannot be used: {shown(label)}")


def _refuse_many(classes: int, field: str, *, hint: str = "") -> NoReturn:
    refuse(field, f"has {classes} classes: at most {MOST}; to learn a number: kind=regression{hint}")


def _of_numbers(values: pa.ChunkedArray, column: str) -> Target:
    if numbers.is_text(values.type):
        _refuse_words(values, column)
        values = pc.utf8_trim_whitespace(values).cast(pa.float64())
    y_N = numbers.floats(values)
    problems = Problems()
    numbers.check_finite(y_N, column, problems, otherwise="leave out the row")
    problems.settle()
    if np.all(y_N == y_N[0]):
        refuse(f"column {column}", f"is {y_N[0]:g} in every row: there is nothing to learn")
    return Target(Problem.REGRESSION, y_N)


def _first_word(values: pa.ChunkedArray) -> str:
    """Return which row is the first that holds no number, as a remedy goes on; nothing where all or none do."""
    rows = _words(values)
    if len(rows) in {0, len(values)}:
        return ""
    return f", and mend what is none, first row {rows[0] + 1} ({shown(values[int(rows[0])].as_py())})"


def _words(values: pa.ChunkedArray) -> NDArray[np.intp]:
    """Return which rows of text hold no number."""
    return np.flatnonzero(~pc.match_substring_regex(values, categories.NUMBER).to_numpy())


def _refuse_words(values: pa.ChunkedArray, column: str) -> None:
    rows = _words(values)
    if 2 * len(rows) > len(values):
        first = shown(values[int(rows[0])].as_py())
        refuse(
            f"column {column}",
            f"holds more words than numbers, such as {first}: to tell them apart: kind=classification",
        )
    problems = Problems()
    for row in rows[:101]:
        problems.add_cells([int(row)], column, f"({shown(values[int(row)].as_py())}) is no number")
    problems.settle()
