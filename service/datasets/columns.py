"""The columns that examples are told apart by."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from service.datasets import categories, numbers
from service.datasets.unfit import Problems
from trimtab.datasets import ColumnKind


@dataclass(frozen=True)
class Column:
    """A column as it is kept.

    Args:
        name: Of the column.
        kind: Of its values.
        values: (N,): float64, NaN missing; or int32 codes of categories, -1 missing.
        categories: What the codes stand for.
    """

    name: str
    kind: ColumnKind
    values: NDArray[Any]
    categories: tuple[str, ...] = ()

    @cached_property
    def missing_rows(self) -> NDArray[np.intp]:
        """Which rows have no value in it, counted from 0."""
        return np.flatnonzero(self.values < 0 if self.kind is ColumnKind.CATEGORY else np.isnan(self.values))

    @property
    def is_constant(self) -> bool:
        """Whether it has the same value in every row."""
        first = self.values[0]
        return bool(np.all(self.values == first))


def read(name: str, values: pa.ChunkedArray, problems: Problems, *, is_typed: bool) -> Column | None:
    """Return a column; None: it cannot be used, which is noted.

    Args:
        name: What it is called.
        values: Of the column.
        problems: Where to note.
        is_typed: Whether the file itself says what is text and what is a number.
    """
    values = numbers.plain(values)
    if numbers.is_misencoded(values):
        problems.add(f"column {name}", numbers.NOT_TEXT)
        return None
    if not _is_known(values.type):
        problems.add(f"column {name}", f"holds {values.type}: a column holds numbers, words or times")
        return None
    if values.null_count == len(values) or (found := _read(name, values, problems, is_typed=is_typed)) is None:
        problems.add(f"column {name}", "has no value in any row: drop it")
        return None
    return found


def _read(name: str, values: pa.ChunkedArray, problems: Problems, *, is_typed: bool) -> Column | None:
    """Return a column; None: no value is there."""
    if numbers.is_text(values.type):
        if not is_typed:
            categories.check_words(values, name, problems, remedy="mend it, or leave it empty")
        codes_N, words = categories.coded(values)
        categories.check_count(len(words), name, problems)
        return Column(name, ColumnKind.CATEGORY, codes_N, tuple(words))
    numbers_N = numbers.floats(values)
    if np.isnan(numbers_N).all():
        return None
    numbers.check_finite(numbers_N, name, problems)
    kind = ColumnKind.TIME if numbers.is_point_in_time(values.type) else ColumnKind.NUMBER
    return Column(name, kind, numbers_N)


def _is_known(kind: pa.DataType) -> bool:
    is_time = numbers.is_point_in_time(kind) or numbers.is_length_of_time(kind)
    return bool(pa.types.is_null(kind)) or numbers.is_text(kind) or numbers.is_number(kind) or is_time
