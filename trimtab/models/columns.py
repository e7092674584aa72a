"""Rows as they come, and what is known of each of their columns from training rows alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# N examples, F features, C channels, H height, W width.

Floats = NDArray[np.float64]

_IMAGES = 1024
"""At a time: counting takes eight times their memory."""


@dataclass(frozen=True)
class Rows:
    """Examples as they come.

    Args:
        columns: Of a table, by name: float64, NaN where missing; or object (text), None where missing.
        images_NCHW: Images, uint8; the table has no columns then.
    """

    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    images_NCHW: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        if self.images_NCHW is not None:
            return len(self.images_NCHW)
        return len(next(iter(self.columns.values()), ()))

    def __getitem__(self, rows: NDArray[np.int64] | slice) -> "Rows":
        images_NCHW = None if self.images_NCHW is None else self.images_NCHW[rows]
        return Rows({name: column[rows] for name, column in self.columns.items()}, images_NCHW)


@dataclass(frozen=True)
class Scale:
    """What is subtracted from a number, and what it is then divided by.

    Args:
        mean: Of the training set.
        deviation: Its standard deviation; 1 where it is constant.
    """

    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def fit(cls, values_N: Floats) -> Self:
        """Take the figures of training values."""
        # By the extremes: the computed deviation of a constant is not always exactly zero, and that of values that
        # differ by less than 1e-162 is.
        deviation = 0.0 if values_N.min() == values_N.max() else float(values_N.std())
        return cls(float(values_N.mean()), deviation or 1.0)

    @classmethod
    def counted(cls, counts: NDArray[np.int64]) -> Self:
        """Take the figures of training values 0, 1, 2 and so on, of which there are so many each: exactly."""
        values, total = np.arange(len(counts)), int(counts.sum())
        mean = float(counts @ values) / total
        variance = float(counts @ (values - mean) ** 2) / total
        return cls(mean, 1.0 if counts.max() == total else variance**0.5)


AS_IT_IS = Scale()


@dataclass(frozen=True)
class Column:
    """A column of a table, and what the training set had in it.

    Args:
        name: Of the column.
        categories: Those of the training set, in order; None: it holds numbers. A column that no training row has a
            value in has none, whatever it holds: it makes no feature, since nothing could be learned of it.
        missing: Stands for a missing number: the mean.
        has_indicator: Whether it missed any, so that this is a feature.
    """

    name: str
    categories: tuple[str, ...] | None = None
    missing: float = 0.0
    has_indicator: bool = False

    @classmethod
    def fit(cls, name: str, column_N: NDArray[Any]) -> Self:
        """Take what is to be known of a column from its training rows."""
        if column_N.dtype == object:
            return cls(name, categories=tuple(sorted({text for text in column_N if text is not None})))
        is_missing_N = np.isnan(column_N)
        if is_missing_N.all():
            return cls(name, categories=())
        return cls(name, missing=float(column_N[~is_missing_N].mean()), has_indicator=bool(is_missing_N.any()))

    @property
    def width(self) -> int:
        """Features that it makes."""
        return 1 + self.has_indicator if self.categories is None else len(self.categories)

    def features(self, column_N: NDArray[Any]) -> Floats:
        """Return its features, float64, N x width."""
        if self.categories is not None:
            return np.eye(self.width + 1)[_places(column_N, self.categories), : self.width]
        is_missing_N = np.isnan(column_N)
        filled_N = np.where(is_missing_N, self.missing, column_N)
        return np.column_stack((filled_N, is_missing_N)) if self.has_indicator else filled_N[:, None]

    def scales(self, column_N: NDArray[Any]) -> Iterator[Scale]:
        """Yield the scale of each of its features, of training rows."""
        if self.categories is None:
            yield from map(Scale.fit, self.features(column_N).T)
            return
        counts = np.bincount(_places(column_N, self.categories), minlength=self.width)
        yield from (Scale.counted(np.array([len(column_N) - count, count])) for count in counts[: self.width])


def channel_scale(images_NHW: NDArray[np.uint8]) -> Scale:
    """Return the scale of a channel of training images."""
    counts = np.zeros(256, dtype=np.int64)
    for start in range(0, len(images_NHW), _IMAGES):
        counts += np.bincount(images_NHW[start : start + _IMAGES].ravel(), minlength=256)
    return Scale.counted(counts)


def _places(column_N: NDArray[Any], categories: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each row's category; of none of them, and of a missing one, one beyond the last."""
    places = {category: place for place, category in enumerate(categories)}
    return np.fromiter(map(places.get, column_N, repeat(len(places))), dtype=np.int64, count=len(column_N))
