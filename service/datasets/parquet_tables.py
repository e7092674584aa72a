"""Parquet: a table that says of each column what it holds."""

import re
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from service.datasets import canonical, tables
from service.datasets.canonical import Content
from service.datasets.unfit import listed, refuse
from trimtab.datasets import TargetKind

_VALUE_BYTES = 8

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")
"""What pandas calls an index that has no name: where rows were left out, their numbers are one."""


def read(path: Path, *, target: str | None, kind: TargetKind, most_bytes: int) -> Content:
    """Return the data set that a file holds.

    Raises:
        Unfit: It holds none that can be trained on.
    """
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            tables.check_names(names)
            learned = tables.check_target(names, target)
            # What it says of its rows comes before they are unpacked; a file that lies meets the process's own limits.
            canonical.check_size(file.metadata.num_rows * len(names) * _VALUE_BYTES, most_bytes)
            table = file.read(use_threads=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        refuse("body", f"is no Parquet file that can be read: {error}")
    content = tables.read(table, target=learned, kind=kind, is_typed=True, most_bytes=most_bytes)
    indices = [name for name in names if _PANDAS_INDEX.fullmatch(name)]
    if not indices:
        return content
    there_is = f"there is an index of pandas among the columns, and so among the features: {listed(indices)}"
    return canonical.warned(content, f"{there_is}; to_parquet(…, index=False) leaves it out")
