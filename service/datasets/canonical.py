"""The one form that data sets are kept in: equal data gives equal bytes, and none of it is code.

An `.npz` of members that are not compressed: `meta` (JSON as bytes), `y_N`, and `numbers_ND` beside `codes_NK` of a
table or `images_NCHW`. Missing is NaN among numbers and -1 among codes.
"""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.datasets.unfit import refuse
from trimtab.datasets import DatasetDescription

FORMAT = 1

# N examples, D columns of numbers and times, K columns of categories, C channels, H height, W width.

_BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive knows: that of every member."""


@dataclass(frozen=True)
class Content:
    """A data set as it was read.

    Args:
        description: What is in it.
        arrays: By the names of their members.
        categories: Of each column that holds categories, in the order of their codes.
    """

    description: DatasetDescription
    arrays: Mapping[str, NDArray[Any]]
    categories: Mapping[str, list[str]] = field(default_factory=dict)


def warned(content: Content, warning: str) -> Content:
    """Return a data set with one more warning, before the others."""
    about = content.description
    return replace(content, description=about.model_copy(update={"warnings": [warning, *about.warnings]}))


def write(content: Content, path: Path) -> None:
    """Write a data set to a file."""
    meta = json.dumps(_meta(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    arrays = {"meta": np.frombuffer(meta, dtype=np.uint8), **content.arrays}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = zipfile.ZipInfo(f"{name}.npy", _BEGINNING)
            with archive.open(member, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.ascontiguousarray(arrays[name]), allow_pickle=False)


def check_size(size: int, most_bytes: int) -> None:
    """Refuse what would be too large to keep, before memory is taken for it.

    Raises:
        Unfit: It would.
    """
    if size > most_bytes:
        refuse("body", f"unpacks to {size} bytes: of a file of this size at most {most_bytes} are taken")


def _meta(content: Content) -> dict[str, object]:
    about = content.description
    columns = [
        {"name": column.name, "kind": column.kind}
        | ({"categories": content.categories[column.name]} if column.name in content.categories else {})
        for column in about.columns
    ]
    return {
        "format": FORMAT,
        "problem": about.problem,
        "target": about.target,
        "classes": [found.label for found in about.classes] or None,
        "columns": columns,
        "image": about.image,
    }
