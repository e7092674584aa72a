"""A table as a data set: a target, and the columns that examples are told apart by."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from service.datasets import canonical, columns, targets
from service.datasets.canonical import Content
from service.datasets.columns import Column
from service.datasets.targets import Target
from service.datasets.unfit import Problems, listed, refuse, shown
from trimtab.datasets import ColumnKind, DatasetColumn, DatasetDescription, TargetKind

MOST_COLUMNS = 10_000

_LONGEST_NAME = 200

_VALUE_BYTES = 8

# N examples, D columns of numbers and times, K columns of categories.


def check_names(names: Sequence[str]) -> None:
    """Refuse columns that cannot be told apart by their names.

    Raises:
        Unfit: Some cannot, or there are too many.
    """
    if len(names) > MOST_COLUMNS:
        refuse("body", f"has {len(names)} columns: at most {MOST_COLUMNS}")
    problems = Problems()
    first: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        if not name.strip():
            problems.add(f"column {number}", "has no name: give each column one, in the first row")
        elif len(name) > _LONGEST_NAME or "\x00" in name:
            problems.add(f"column {number}", f"has a name that cannot be used: {shown(name)}")
        elif first.setdefault(name, number) != number:
            problems.add(f"column {number}", f"is called {shown(name)}, as column {first[name]} is: rename one")
    problems.settle()


def check_target(names: Sequence[str], target: str | None) -> str:
    """Return which column is learned.

    Raises:
        Unfit: It is not said, not there, or the only one.
    """
    there_are = f"there are {listed(names)}"
    if target is None:
        refuse("target", f"is needed: which column is to be learned? {there_are}")
    if target not in names:
        refuse("target", f"is no column: {shown(target)}; {there_are}")
    if len(names) == 1:
        refuse("body", f"has no column beside the target: its values are to be separated by commas; {there_are}")
    return target


def read(table: pa.Table, *, target: str, kind: TargetKind, is_typed: bool, most_bytes: int) -> Content:
    """Return a table as a data set.

    Args:
        table: Its columns have been checked by their names.
        target: The column that is learned.
        kind: As what.
        is_typed: Whether the file itself says what is text and what is a number.
        most_bytes: That it may have.

    Raises:
        Unfit: It is none that can be trained on.
    """
    if not table.num_rows:
        refuse("body", "has no rows")
    canonical.check_size(table.num_rows * table.num_columns * _VALUE_BYTES, most_bytes)
    learned = targets.read(table.column(target), target, kind, is_typed=is_typed)
    problems = Problems()
    names = [name for name in table.column_names if name != target]
    found = [columns.read(name, table.column(name), problems, is_typed=is_typed) for name in names]
    problems.settle()
    return content([column for column in found if column], learned, target)


def content(found: Sequence[Column], learned: Target, target: str) -> Content:
    """Return a data set of columns that have been read."""
    constant = [column.name for column in found if column.is_constant]
    warnings = [f"these columns have one value only and tell nothing: {listed(constant)}"] if constant else []
    codes = [column for column in found if column.kind is ColumnKind.CATEGORY]
    figures = [column for column in found if column.kind is not ColumnKind.CATEGORY]
    description = DatasetDescription(
        problem=learned.problem,
        target=target,
        examples=len(learned.y_N),
        columns=[_described(column) for column in found],
        classes=list(learned.classes),
        warnings=[*learned.warnings, *warnings],
    )
    arrays = {
        "y_N": learned.y_N,
        "numbers_ND": _beside(figures, len(learned.y_N), np.dtype(np.float64)),
        "codes_NK": _beside(codes, len(learned.y_N), np.dtype(np.int32)),
    }
    return Content(description, arrays, {column.name: list(column.categories) for column in codes})


def _described(column: Column) -> DatasetColumn:
    counted = len(column.categories) if column.kind is ColumnKind.CATEGORY else None
    rows = column.missing_rows
    return DatasetColumn(
        name=column.name,
        kind=column.kind,
        categories=counted,
        missing=len(rows),
        first_missing=int(rows[0]) + 1 if len(rows) else None,
    )


def _beside(found: Sequence[Column], examples: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    beside = np.empty((examples, len(found)), dtype)
    for position, column in enumerate(found):
        beside[:, position] = column.values
    return beside
