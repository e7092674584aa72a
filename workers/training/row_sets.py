"""Sets of examples in one form: the features and classes of the data set that training comes from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.models.columns import Rows
from workers.training.datasets import Dataset
from workers.training.dealing import Indices

# N examples.


@dataclass(frozen=True)
class RowSet:
    """Rows of features, and their targets."""

    rows: Rows
    y_N: NDArray[Any]

    def __len__(self) -> int:
        return len(self.y_N)

    def __getitem__(self, rows: Indices) -> "RowSet":
        return RowSet(self.rows[rows], self.y_N[rows])


class Form:
    """What all sets have in common: the features and classes of the data set that training comes from.

    Args:
        home: That one.
        without: Columns that are no features.
    """

    def __init__(self, home: Dataset, *, without: Sequence[str | None]) -> None:
        self._home = home
        self._features = [name for name in home.rows.columns if name not in without]

    def of(self, dataset: Dataset) -> RowSet:
        """Return a data set in this form.

        Raises:
            ValueError: It cannot be brought to it.
        """
        images, like = dataset.rows.images_NCHW, self._home.rows.images_NCHW
        if (None if images is None else images.shape[1:]) != (None if like is None else like.shape[1:]):
            raise ValueError("the data sets have images of other sizes")
        columns = {name: self._feature(dataset, name) for name in self._features}
        return RowSet(Rows(columns, images), self._targets(dataset))

    def _feature(self, dataset: Dataset, name: str) -> NDArray[Any]:
        column_N = column_of(dataset.rows, name)
        if column_N.dtype != self._home.rows.columns[name].dtype:
            raise ValueError(f"column {name} holds numbers in one data set and text in another")
        return column_N

    def _targets(self, dataset: Dataset) -> NDArray[Any]:
        if dataset.problem is not self._home.problem:
            raise ValueError(f"the data sets have other targets: {dataset.problem} is not {self._home.problem}")
        if dataset.classes is None or dataset.classes == self._home.classes:
            return dataset.y_N
        number = {label: place for place, label in enumerate(self._home.classes or ())}
        if strange := [label for label in dataset.classes if label not in number]:
            raise ValueError(f"training knows no class {strange[0]!r}")
        number_C = np.array([number[label] for label in dataset.classes], dtype=np.int64)
        y_N: Indices = number_C[dataset.y_N]
        return y_N


def joined(sets: Sequence[RowSet]) -> RowSet:
    """Return a set of all examples of some."""
    first = sets[0].rows
    names = first.columns
    columns = {name: np.concatenate([each.rows.columns[name] for each in sets]) for name in names}
    images = None if first.images_NCHW is None else np.concatenate([_images(each) for each in sets])
    return RowSet(Rows(columns, images), np.concatenate([each.y_N for each in sets]))


def _images(each: RowSet) -> NDArray[np.uint8]:
    assert each.rows.images_NCHW is not None, "sets that are joined are all of images"
    return each.rows.images_NCHW


def column_of(rows: Rows, name: str) -> NDArray[Any]:
    """Return a column of a table.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in rows.columns:
        raise ValueError(f"there is no column {name}; there are {', '.join(rows.columns) or 'images'}")
    return rows.columns[name]
