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

_OF_A_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""How many of a unit."""


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


def is_misencoded(values: pa.ChunkedArray) -> bool:
    """Return whether it holds bytes, as themselves or as words."""
    if not is_text(values.type):
        return is_binary(values.type)
    try:
        values.validate(full=True)
    except pa.ArrowInvalid:
        return True
    return False


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
    if is_point_in_time(values.type) or is_length_of_time(values.type):
        return _seconds(values)
    return _doubles(values)


def check_finite(
    numbers_N: NDArray[np.float64], column: str, problems: Problems, *, otherwise: str = "leave it empty"
) -> None:
    """Note numbers that cannot be trained with, and what helps where there is no other."""
    for row in np.flatnonzero(np.abs(numbers_N) > LARGEST)[:101]:
        number = numbers_N[row]
        what = "is infinite" if np.isinf(number) else f"is {number:g}, of a magnitude over {LARGEST:g}"
        problems.add(cell(int(row), column), f"{what}: give a number that can be trained with, or {otherwise}")


def _doubles(values: pa.ChunkedArray) -> NDArray[np.float64]:
    if not pa.types.is_float64(values.type):
        values = values.cast(pa.float64(), safe=False)
    numbers: NDArray[np.float64] = values.to_numpy().astype(np.float64, copy=False)
    return numbers


def _seconds(values: pa.ChunkedArray) -> NDArray[np.float64]:
    """Return times as seconds. They are never brought to a finer unit, which reaches less far."""
    if pa.types.is_date(values.type):
        values = values.cast(pa.timestamp("s" if pa.types.is_date32(values.type) else "ms"))
    a_second = _OF_A_SECOND[values.type.unit]
    counts = (values.cast(pa.int32()) if pa.types.is_time32(values.type) else values).cast(pa.int64())
    whole = pc.divide(counts, a_second)
    # A count of a fine unit has more digits than a double.
    return _doubles(whole) + _doubles(pc.subtract(counts, pc.multiply(whole, a_second))) / a_second
