"""Columns of Arrow as numbers."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from service.datasets.unfit import Problems, cell

MISSING = ("", "NA", "NaN", "nan", "null", "NULL")
"""What stands for a value that is missing, beside what a format itself has for it."""

LARGEST = 1e38
"""Networks are trained in float32, which ends at 3.4e38."""

NOT_TEXT = "holds what is not UTF-8: save the file as UTF-8"

_NANOSECONDS = 1e9


def is_number(kind: pa.DataType) -> bool:
    """Return whether a column of this type holds numbers."""
    return pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or is_decimal(kind)


def is_decimal(kind: pa.DataType) -> bool:
    """Return whether its numbers are decimal ones."""
    return bool(pa.types.is_decimal(kind))


def is_length_of_time(kind: pa.DataType) -> bool:
    """Return whether it holds times of day or durations: numbers of seconds."""
    return bool(pa.types.is_time(kind) or pa.types.is_duration(kind))


def is_point_in_time(kind: pa.DataType) -> bool:
    """Return whether it holds dates."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def is_text(kind: pa.DataType) -> bool:
    """Return whether it holds words."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_binary(kind: pa.DataType) -> bool:
    """Return whether it holds bytes: what was meant as words, in another encoding."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without a dictionary, with words that stand for nothing as missing."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_string_view(values.type):
        values = values.cast(pa.large_string())
    if is_text(values.type):
        stands_for_nothing = pc.is_in(values, value_set=pa.array(MISSING, values.type))
        values = pc.if_else(stands_for_nothing, pa.scalar(None, values.type), values)
    return values


def floats(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return numbers or times, in seconds (of dates since 1970, UTC), as (N,); NaN is missing."""
    kind, scale = values.type, 1.0
    if is_point_in_time(kind) or is_length_of_time(kind):
        unit, scale = _fine(kind)
        values = values.cast(unit, safe=False).cast(pa.int64())
    elif not pa.types.is_float64(kind):
        values = values.cast(pa.float64(), safe=False)
    numbers: NDArray[np.float64] = values.to_numpy().astype(np.float64, copy=False)
    return numbers if scale == 1.0 else numbers / scale


def check_finite(numbers_N: NDArray[np.float64], column: str, problems: Problems) -> None:
    """Note numbers that cannot be trained with."""
    for row in np.flatnonzero(np.abs(numbers_N) > LARGEST)[:101]:
        number = numbers_N[row]
        what = "is infinite" if np.isinf(number) else f"is {number:g}, of a magnitude over {LARGEST:g}"
        problems.add(cell(int(row), column), f"{what}: give a number that can be trained with, or leave it empty")


def _fine(kind: pa.DataType) -> tuple[pa.DataType, float]:
    """Return a finer type that casts to integers, and how many of its units are a second."""
    if is_point_in_time(kind):
        return pa.timestamp("us"), 1e6
    return (pa.time64("ns") if pa.types.is_time(kind) else pa.duration("ns")), _NANOSECONDS
