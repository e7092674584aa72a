"""NPZ: an archive of NumPy arrays, `X` of tables or images and `y` of what is learned. Never unpickled."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy
from numpy.typing import NDArray

from service.datasets import canonical, numbers, tables, targets
from service.datasets.canonical import Content
from service.datasets.columns import Column
from service.datasets.targets import Target
from service.datasets.unfit import Problems, cell, listed, refuse
from trimtab.datasets import ColumnKind, DatasetDescription, TargetKind

_WANTED = ("X", "y")

_LONGEST_HEADER = 10_000
"""Bytes; ours say a type and a few sizes."""

_NUMBERS = "biuf"
_WORDS = "U"

_TABLE, _GREY, _COLOUR = 2, 3, 4
"""Dimensions of X."""

_MOST_CHANNELS = 4

# N examples, D features, C channels, H height, W width.


def read(path: Path, *, target: str | None, kind: TargetKind, most_bytes: int) -> Content:
    """Return the data set that a file holds.

    Raises:
        Unfit: It holds none that can be trained on.
    """
    if target not in {None, "y"}:
        refuse("target", "is not for arrays: what is learned is called y")
    arrays = _arrays(path, most_bytes)
    x, y_N = arrays["X"], arrays["y"]
    if x.ndim not in {_TABLE, _GREY, _COLOUR}:
        refuse("X", f"has {x.ndim} dimensions: 2 are a table, 3 grey images, 4 images with channels (N, C, H, W)")
    if y_N.ndim != 1 or len(y_N) != len(x):
        refuse("y", f"has the shape {y_N.shape}: one value for each of the {len(x)} examples of X is needed")
    if not len(y_N):
        refuse("X", "has no rows")
    learned = targets.read(_column(y_N), "y", kind, is_typed=True)
    return _table(x, learned) if x.ndim == _TABLE else _images(x, learned)


def _arrays(path: Path, most_bytes: int) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
            if set(members) != set(_WANTED):
                refuse("body", f"has {listed(members) or 'no arrays'}: np.savez(file, X=…, y=…) writes what is needed")
            canonical.check_size(sum(member.file_size for member in members.values()), most_bytes)
            return {name: _array(archive, members[name], name) for name in _WANTED}
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        refuse("body", f"is no NPZ that can be read: {error}")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> NDArray[Any]:
    with archive.open(member) as file:
        shape, dtype, begins_at = _header(file)
        if dtype.kind not in _NUMBERS + _WORDS:
            refuse(name, f"holds {dtype}: numbers can be read, and words as fixed-length text in y")
        said, there = math.prod(shape) * dtype.itemsize, member.file_size - begins_at
        if said != there:
            refuse(name, f"has a header that says {said} bytes, where {there} are")
        file.seek(0)
        return npy.read_array(file, allow_pickle=False, max_header_size=_LONGEST_HEADER)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Return what the header of an array says, and where its data begins."""
    version = npy.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = npy.read_array_header_1_0(file, max_header_size=_LONGEST_HEADER)
    elif version == (2, 0):
        shape, _, dtype = npy.read_array_header_2_0(file, max_header_size=_LONGEST_HEADER)
    else:
        refuse("body", f"has an array of format {version}: 1.0 and 2.0 are read")
    return shape, dtype, file.tell()


def _column(y_N: NDArray[Any]) -> pa.ChunkedArray:
    try:
        return pa.chunked_array([pa.array(_plain(y_N))])
    except UnicodeDecodeError:  # Bytes that were no text, as halves of surrogate pairs.
        refuse("y", "holds what is not UTF-8: rename it")


def _plain(y_N: NDArray[Any]) -> NDArray[Any]:
    """Return values as Arrow takes them: in this machine's order of bytes, and no longer than a double."""
    return y_N.astype(np.float64 if y_N.dtype.kind == "f" else y_N.dtype.newbyteorder("="))


def _table(x_ND: NDArray[Any], learned: Target) -> Content:
    if x_ND.dtype.kind not in _NUMBERS:
        refuse("X", f"holds {x_ND.dtype}: numbers are needed; words can be put as CSV or Parquet")
    names = [f"x{number}" for number in range(1, x_ND.shape[1] + 1)]
    tables.check_names(names)
    if not names:
        refuse("X", "has no columns")
    problems = Problems()
    found = []
    for name, column in zip(names, x_ND.T, strict=True):
        numbers_N = column.astype(np.float64)
        numbers.check_finite(numbers_N, name, problems)
        if np.isnan(numbers_N).all():
            problems.add(f"column {name}", "has no value in any row: drop it")
        found.append(Column(name, ColumnKind.NUMBER, numbers_N))
    problems.settle()
    return tables.content(found, learned, "y")


def _images(x: NDArray[Any], learned: Target) -> Content:
    if x.dtype.kind not in _NUMBERS:
        refuse("X", f"holds {x.dtype}: images are whole numbers from 0 to 255")
    images_NCHW = x[:, None] if x.ndim == _GREY else x
    channels, height, width = images_NCHW.shape[1:]
    if channels > _MOST_CHANNELS >= width:
        refuse("X", f"has the shape {x.shape}: channels come first, X.transpose(0, 3, 1, 2)")
    if not channels * height * width:
        refuse("X", f"has the shape {x.shape}: its images are empty")
    _check_pixels(images_NCHW)
    description = DatasetDescription(
        problem=learned.problem,
        target="y",
        examples=len(images_NCHW),
        classes=list(learned.classes),
        image=(channels, height, width),
        warnings=list(learned.warnings),
    )
    return Content(description, {"y_N": learned.y_N, "images_NCHW": images_NCHW.astype(np.uint8)})


def _check_pixels(images_NCHW: NDArray[Any]) -> None:
    if images_NCHW.dtype == np.uint8:
        return
    for row, image in enumerate(images_NCHW):
        is_pixel = (image >= 0) & (image <= np.iinfo(np.uint8).max) & (image == np.floor(image))
        if not is_pixel.all():
            found = image[~is_pixel][0]
            refuse(cell(row, "X"), f"has the value {found}: those of images are whole numbers from 0 to 255")
