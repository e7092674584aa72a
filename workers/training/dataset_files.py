"""Data sets as files: an `.npz` that is read without pickle, and never into more memory than the file has bytes."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from trimtab.models.columns import Rows
from workers.training.errors import DatasetUnusable

# N examples, D columns of numbers, K columns of categories, C channels, H height, W width.

_FORMAT = 1
_TYPES = {
    "meta": ("|u1", 1),
    "numbers_ND": ("<f8", 2),
    "codes_NK": ("<i4", 2),
    "images_NCHW": ("|u1", 4),
    "y_N": (None, 1),
}
"""What each member may be: its type and dimensions."""


@dataclass(frozen=True)
class Contents:
    """What is in a file.

    Args:
        rows: All columns but the target, or images.
        y_N: Targets: int64 or float64.
        classes: What classes are called; None: the target is a number.
    """

    rows: Rows
    y_N: NDArray[Any]
    classes: tuple[str, ...] | None


def read(path: Path, *, sha256: str) -> Contents:
    """Return what is in a file.

    Args:
        path: Of the file.
        sha256: Of what is expected in it.

    Raises:
        DatasetUnusable: It is not there, is another one, or is no data set.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha256:
            raise DatasetUnusable(f"the data set has the SHA-256 {found[:12]}..., not {sha256[:12]}...")
        with ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): _member(archive, info) for info in archive.infolist()}
        return _contents(members)
    except (OSError, BadZipFile, KeyError, ValueError, TypeError) as error:
        raise DatasetUnusable(f"the data set cannot be read: {error}") from error


def _member(archive: ZipFile, info: ZipInfo) -> NDArray[Any]:
    """Return an array whose header tells the truth about its size.

    Raises:
        ValueError: It does not, or is none that a data set has.
    """
    kind, dimensions = _TYPES.get(info.filename.removesuffix(".npy"), ("", 0))
    with archive.open(info) as file:
        if info.compress_type != ZIP_STORED or npy.read_magic(file) != (1, 0):
            raise ValueError(f"{info.filename} is not stored plainly")
        shape, is_fortran, dtype = npy.read_array_header_1_0(file)
        if kind not in {None, dtype.str} or len(shape) != dimensions or is_fortran or dtype.hasobject:
            raise ValueError(f"{info.filename} is of {dtype} and {len(shape)} dimensions")
        if file.tell() + int(np.prod(shape, dtype=object)) * dtype.itemsize != info.file_size:
            raise ValueError(f"{info.filename} has not the size that its header says")
        return np.frombuffer(file.read(), dtype=dtype).reshape(shape)


def _contents(members: dict[str, NDArray[Any]]) -> Contents:
    meta = json.loads(members["meta"].tobytes())
    if meta["format"] != _FORMAT:
        raise ValueError(f"it is of format {meta['format']}; this worker reads {_FORMAT}")
    classes = None if meta["classes"] is None else tuple(meta["classes"])
    y_N = members["y_N"]
    if y_N.dtype != (np.float64 if classes is None else np.int64):
        raise ValueError(f"targets are of {y_N.dtype}")
    return Contents(_rows(meta, members, examples=len(y_N)), y_N, classes)


def _rows(meta: dict[str, Any], members: dict[str, NDArray[Any]], *, examples: int) -> Rows:
    arrays = [members[name] for name in ("images_NCHW", "numbers_ND", "codes_NK") if name in members]
    if not arrays or any(len(array) != examples for array in arrays):
        raise ValueError(f"it has no row for each of its {examples} targets")
    if meta["image"] is not None:
        return Rows(images_NCHW=members["images_NCHW"])
    numbers = iter(members["numbers_ND"].T) if "numbers_ND" in members else iter(())
    codes = iter(members["codes_NK"].T) if "codes_NK" in members else iter(())
    return Rows(
        {
            column["name"]: _named(next(codes), column["categories"])
            if column["kind"] == "category"
            else np.ascontiguousarray(next(numbers))
            for column in meta["columns"]
        }
    )


def _named(codes_N: NDArray[np.int32], categories: list[str]) -> NDArray[Any]:
    """Return categories by name; of the code -1, which is the last place, None."""
    return np.array([*categories, None], dtype=object)[codes_N]
