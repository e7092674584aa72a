"""Rows as somebody has them: arrays, lists, or what each column is called; and as a model takes them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.models import times
from trimtab.models.columns import Column, Rows
from trimtab.models.errors import RowsUnfit
from trimtab.models.preprocessing import Preprocessing

# N examples, C channels, H height, W width.

Given = NDArray[Any] | Sequence[Any]
"""A table: an array, N x columns; or a list of rows, each a list of values or a mapping of columns to values. A missing
value is None or NaN; a time is what Python, NumPy or pandas has for it, or its seconds. Images: an array or nested
lists, N x C x H x W, N x H x W for one channel, or N x C*H*W."""

_MOST = 255

_AS_TIME = ": a time is given as a datetime, a date, a time of day or NumPy's datetime64, not as text"

_FRAMES = {"to_dicts": "to_dicts()", "to_dict": 'to_dict("records")'}
"""What makes rows of a frame, of polars and of pandas."""


def rows_of(given: Given, preprocessing: Preprocessing) -> Rows:
    """Return rows as a model takes them.

    Raises:
        RowsUnfit: They have not the columns or the shape that it was trained on, or values that these cannot have.
    """
    if preprocessing.image:
        return Rows(images_NCHW=_images(given, preprocessing.image))
    columns = preprocessing.columns
    _check_is_table(given)
    values = _by_name(given, columns) if _is_named(given) else _by_place(given, columns)
    return Rows({column.name: _values(column, values[column.name]) for column in columns})


def _check_is_table(given: Given) -> None:
    if isinstance(given, np.ndarray) and given.ndim != 2:  # noqa: PLR2004  # rows and columns
        raise RowsUnfit(f"a table has rows and columns: this has the shape {given.shape}")
    if not isinstance(given, np.ndarray | Sequence):
        frame = next((f": give its {verb}" for name, verb in _FRAMES.items() if hasattr(given, name)), "")
        raise RowsUnfit(f"a table is an array or a list of rows, not of the type {type(given).__name__}{frame}")


def _is_named(given: Given) -> bool:
    return len(given) > 0 and all(isinstance(row, Mapping) for row in given)


def _by_name(given: Given, columns: Sequence[Column]) -> dict[str, Sequence[Any]]:
    names = [column.name for column in columns]
    for number, row in enumerate(given):
        if missing := [name for name in names if name not in row]:
            raise RowsUnfit(f"row {number} lacks {', '.join(missing)}; a value that is missing is None")
        if unknown := [str(name) for name in row if name not in names]:
            raise RowsUnfit(
                f"row {number} has {', '.join(unknown)}, which the model does not know: it takes"
                f" {', '.join(names)}; leave out all else, the target too"
            )
    return {name: [row[name] for row in given] for name in names}


def _by_place(given: Given, columns: Sequence[Column]) -> dict[str, Sequence[Any]]:
    names = [column.name for column in columns]
    for number, row in enumerate(given):
        if isinstance(row, str | Mapping) or not hasattr(row, "__len__") or len(row) != len(names):
            raise RowsUnfit(f"row {number} is not a list of {len(names)} values: {', '.join(names)}")
    return {name: [row[place] for row in given] for place, name in enumerate(names)}


def _values(column: Column, values_N: Sequence[Any]) -> NDArray[Any]:
    if column.categories is not None:
        return np.array([*map(_text, values_N), None], dtype=object)[:-1]  # the last keeps numpy from guessing a shape
    return np.array([_number(column, number, value) for number, value in enumerate(values_N)], dtype=np.float64)


def _number(column: Column, row: int, value: Any) -> float:
    if value is None:
        return math.nan
    try:
        moment = times.seconds(value)
        found = float(value) if moment is None else moment
    except (TypeError, ValueError, OverflowError) as error:
        remedy = _AS_TIME if times.is_text_of_time(value) else ""
        raise RowsUnfit(f"row {row}, column {column.name}: {value!r} is no number{remedy}") from error
    if math.isinf(found):
        raise RowsUnfit(f"row {row}, column {column.name}: {value!r} is not finite")
    return found


def _text(value: Any) -> str | None:
    """Return what a category is called: that of a whole number has no decimal point."""
    if value is None:
        return None
    if isinstance(value, float | np.floating):
        if math.isnan(value):
            return None
        return str(int(value)) if value.is_integer() else str(float(value))
    return str(value)


def _images(given: Given, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    try:
        images = np.asarray(given)
    except ValueError as error:
        raise RowsUnfit(f"these are not images of one size: {error}") from error
    channels, height, width = shape
    shapes = [shape, (channels * height * width,), *([(height, width)] if channels == 1 else [])]
    if images.ndim == 0 or images.shape[1:] not in shapes:
        raise RowsUnfit(f"images are N x {channels} x {height} x {width}: these have the shape {images.shape}")
    if images.dtype.kind not in "uifb" or not np.isin(images, np.arange(_MOST + 1)).all():
        raise RowsUnfit(f"the values of an image are whole numbers from 0 to {_MOST}")
    return images.astype(np.uint8).reshape(-1, *shape)
