"""The data sets that need not be put: those that scikit-learn carries, on disk with it, and two that are drawn."""

import hashlib
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.data import BUILT_IN
from trimtab.models.columns import Rows

# N examples, D features.

_EXAMPLES = 1000
_DECIMALS = 6  # of what is drawn: beyond them a machine's sines may differ, and with them its split

Arrays = tuple[NDArray[Any], NDArray[Any]]
"""x_ND and y_N."""


def load(name: str) -> tuple[Rows, NDArray[Any], str]:
    """Return the rows of a built-in data set, their targets, and the SHA-256 of shapes and values."""
    x_ND, y_N = _LOADERS[name]()
    y_N = y_N.astype(np.int64 if BUILT_IN[name].classes else np.float64)
    return _rows(name, x_ND), y_N, content_hash(x_ND, y_N)


def content_hash(x_ND: NDArray[Any], y_N: NDArray[Any]) -> str:
    """Return the SHA-256 of shapes and values, the same on every machine."""
    shape = f"{x_ND.shape} {y_N.shape}".encode()
    values = x_ND.astype("<f8").tobytes() + y_N.astype(f"<{y_N.dtype.kind}8").tobytes()
    return hashlib.sha256(shape + values).hexdigest()


def _rows(name: str, x_ND: NDArray[Any]) -> Rows:
    facts = BUILT_IN[name]
    if facts.image:
        return Rows(images_NCHW=x_ND.astype(np.uint8).reshape(-1, *facts.image))
    columns = zip(facts.columns, np.asarray(x_ND, dtype=np.float64).T, strict=True)
    return Rows({column: np.ascontiguousarray(values_N) for column, values_N in columns})


def _carried(file: str, *, header: int) -> Arrays:
    """Read a table of scikit-learn's: its loaders come with a second of imports, for each child that starts."""
    package = find_spec("sklearn")
    assert package, "workers need it"
    assert package.submodule_search_locations, "it is a package"
    folder = Path(package.submodule_search_locations[0])
    table_NC = np.loadtxt(folder / "datasets" / "data" / file, delimiter=",", skiprows=header)
    return table_NC[:, :-1], table_NC[:, -1]


def _diabetes() -> Arrays:
    from sklearn import datasets  # noqa: PLC0415  # it takes a second, and scales its columns to the last bit

    arrays: Arrays = datasets.load_diabetes(return_X_y=True)
    return arrays


def _moons() -> Arrays:
    from sklearn import datasets  # noqa: PLC0415  # it takes a second, and draws them

    x_ND, y_N = datasets.make_moons(_EXAMPLES, noise=0.2, random_state=0)
    return np.round(x_ND, _DECIMALS), y_N


def _spirals() -> Arrays:
    """Two arms, each a turn and a half around the other."""
    chance = np.random.RandomState(0)  # its numbers never change (NEP 19)
    y_N = np.arange(_EXAMPLES) % 2
    radius_N = 0.1 + 0.9 * np.sqrt(chance.random_sample(_EXAMPLES))
    angle_N = 3 * np.pi * radius_N + np.pi * y_N
    x_ND = radius_N[:, None] * np.column_stack((np.cos(angle_N), np.sin(angle_N)))
    return np.round(x_ND + chance.normal(scale=0.03, size=x_ND.shape), _DECIMALS), y_N


_LOADERS: dict[str, Callable[[], Arrays]] = {
    "digits": partial(_carried, "digits.csv.gz", header=0),
    "breast_cancer": partial(_carried, "breast_cancer.csv", header=1),
    "wine": partial(_carried, "wine_data.csv", header=1),
    "iris": partial(_carried, "iris.csv", header=1),
    "diabetes": _diabetes,
    "moons": _moons,
    "spirals": _spirals,
}
