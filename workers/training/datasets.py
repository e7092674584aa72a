"""The data sets for classification that scikit-learn carries: on disk with it, no network."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

# N examples, D features.

_LOADERS: dict[str, Callable[..., tuple[NDArray[np.float64], NDArray[np.int64]]]] = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "wine": datasets.load_wine,
    "iris": datasets.load_iris,
}

NAMES = tuple(_LOADERS)
"""The data sets by name."""


@dataclass(frozen=True)
class Dataset:
    """Examples with their classes, all of them, as they came.

    Args:
        x_ND: Features, float64.
        y_N: Classes, int64, from 0 to `classes` - 1.
    """

    x_ND: NDArray[np.float64]
    y_N: NDArray[np.int64]

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.y_N.max()) + 1

    @property
    def content_hash(self) -> str:
        """SHA-256 of shapes and values, the same on every machine."""
        shape = f"{self.x_ND.shape} {self.y_N.shape}".encode()
        values = self.x_ND.astype("<f8").tobytes() + self.y_N.astype("<i8").tobytes()
        return hashlib.sha256(shape + values).hexdigest()


def load(name: str) -> Dataset:
    """Return a data set by its name.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in _LOADERS:
        raise ValueError(f"no data set is called {name!r}; there are {', '.join(NAMES)}")
    x_ND, y_N = _LOADERS[name](return_X_y=True)
    return Dataset(np.asarray(x_ND, dtype=np.float64), np.asarray(y_N, dtype=np.int64))
