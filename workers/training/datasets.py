"""Data sets as they come: all examples with their targets, nothing fitted to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from trimtab.data import BUILT_IN, DataSpec, Problem
from trimtab.models.columns import Rows
from workers.training import built_in, dataset_files

# N examples.

_KEPT = 4  # data sets that stay in memory: a worker's trials come from few studies at a time


@dataclass(frozen=True)
class Dataset:
    """Examples with what is learned of them.

    Args:
        rows: All that is known of the examples but the target.
        y_N: Classes by number, int64; or numbers, float64.
        classes: What classes are called, by number; None: the target is a number.
        content_hash: SHA-256 of what is in it, the same on every machine.
    """

    rows: Rows
    y_N: NDArray[Any]
    classes: tuple[str, ...] | None
    content_hash: str

    @property
    def problem(self) -> Problem:
        """What is learned."""
        return Problem.REGRESSION if self.classes is None else Problem.CLASSIFICATION

    def __len__(self) -> int:
        return len(self.y_N)


def load(name: str, *, spec: DataSpec, files: Mapping[str, Path]) -> Dataset:
    """Return a data set by its name, read once.

    Args:
        name: One of those that the spec names.
        spec: Says which content it has.
        files: Where those are that are not built in.

    Raises:
        ValueError: There is none of that name.
        DatasetUnusable: The file is not what the spec says.
    """
    if name in files:
        return _read(files[name], spec.contents[name])
    if name not in BUILT_IN:
        raise ValueError(f"no data set is called {name!r}; built in are {', '.join(BUILT_IN)}")
    return _built_in(name)


@lru_cache(maxsize=_KEPT)
def _read(path: Path, sha256: str) -> Dataset:
    found = dataset_files.read(path, sha256=sha256)
    return Dataset(found.rows, found.y_N, found.classes, sha256)


@lru_cache(maxsize=_KEPT)
def _built_in(name: str) -> Dataset:
    rows, y_N, content_hash = built_in.load(name)
    return Dataset(rows, y_N, BUILT_IN[name].labels or None, content_hash)
