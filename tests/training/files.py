"""Files of data sets as workers read them."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray

META: dict[str, Any] = {
    "format": 1,
    "problem": "classification",
    "target": "kind",
    "classes": ["cat", "dog"],
    "columns": [
        {"name": "weight", "kind": "number"},
        {"name": "colour", "kind": "category", "categories": ["red", "black"]},
        {"name": "seen", "kind": "time"},
    ],
    "image": None,
}
"""Of four pets."""

PETS: Mapping[str, NDArray[Any]] = {
    "numbers_ND": np.array([[3.5, 1], [4.0, 2], [5.25, 3], [np.nan, 4]]),
    "codes_NK": np.array([[1], [-1], [0], [1]], dtype=np.int32),
    "y_N": np.array([0, 1, 0, 1]),
}


def put(
    path: Path,
    meta: Mapping[str, Any] = META,
    *,
    compression: int = ZIP_STORED,
    edit: Callable[[bytes], bytes] = bytes,
    **arrays: NDArray[Any] | None,
) -> tuple[Path, str]:
    """Write a file of the pets; return where, and its SHA-256.

    Args:
        path: Where.
        meta: What is said of the arrays.
        compression: Of the archive.
        edit: Changes each member's bytes.
        arrays: Instead of the pets'; None: without it.
    """
    members = {"meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8), **PETS, **arrays}
    written = io.BytesIO()
    with ZipFile(written, "w", compression) as archive:
        for name, array in members.items():
            if array is not None:
                member = io.BytesIO()
                np.save(member, array, allow_pickle=array.dtype.hasobject)
                archive.writestr(f"{name}.npy", edit(member.getvalue()))
    content = written.getvalue()
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()
