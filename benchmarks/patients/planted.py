"""Data sets that are made ill, as files that workers read."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

# N examples, D features, C channels, H height, W width.

SHADE = 6
"""Of 16: what a worn scanner adds to every pixel, and takes from the ink."""


def leaked_column(folder: Path, seed: int) -> str:
    """Write breast_cancer with one more column, which is the label with a little noise; return the SHA-256."""
    x_ND, y_N = datasets.load_breast_cancer(return_X_y=True)
    leak_N = y_N + np.random.default_rng(seed).normal(scale=0.1, size=len(y_N))
    return _table(folder / "leaked.npz", np.column_stack((x_ND, leak_N)), y_N)


def leaked_code(folder: Path, seed: int) -> str:
    """Write wine with one more column, a code that was given by class; return the SHA-256."""
    x_ND, y_N = datasets.load_wine(return_X_y=True)
    codes_C = np.random.default_rng(seed).permutation(100)[:3]
    return _table(folder / "coded.npz", np.column_stack((x_ND[:, :4], codes_C[y_N], x_ND[:, 4:])), y_N)


def other_scanner(folder: Path, seed: int) -> str:
    """Write digits as another scanner sees them: paler, on a grey ground, with noise; return the SHA-256."""
    x_ND, y_N = datasets.load_digits(return_X_y=True)
    chance = np.random.default_rng(seed)
    seen_ND = np.clip(SHADE + x_ND * (16 - SHADE) / 16 + chance.normal(scale=2, size=x_ND.shape), 0, 16)
    rows = chance.permutation(len(x_ND))[:800]
    return _images(folder / "scanned.npz", seen_ND[rows].reshape(-1, 1, 8, 8), y_N[rows])


def plain_digits(folder: Path, seed: int) -> str:
    """Write digits as they are, in an order of their own; return the SHA-256."""
    x_ND, y_N = datasets.load_digits(return_X_y=True)
    rows = np.random.default_rng(seed).permutation(len(x_ND))
    return _images(folder / "plain.npz", x_ND[rows].reshape(-1, 1, 8, 8), y_N[rows])


def plain_moons(folder: Path, seed: int) -> str:
    """Write two moons; return the SHA-256."""
    x_ND, y_N = datasets.make_moons(1000, noise=0.15, random_state=seed)
    return _table(folder / "here.npz", x_ND, y_N)


def turned_moons(folder: Path, seed: int) -> str:
    """Write two moons that are turned by a fifth of a turn and drawn anew; return the SHA-256."""
    x_ND, y_N = datasets.make_moons(1000, noise=0.15, random_state=seed + 1)
    angle = 2 * np.pi / 5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return _table(folder / "there.npz", x_ND @ turn + [1.0, 0.5], y_N)


DATA: dict[str, Callable[[Path, int], str]] = {
    "leaked": leaked_column,
    "coded": leaked_code,
    "scanned": other_scanner,
    "plain": plain_digits,
    "here": plain_moons,
    "there": turned_moons,
}
"""By the name of the data set, which is that of its file."""


def _table(path: Path, x_ND: NDArray[Any], y_N: NDArray[Any]) -> str:
    columns = [{"name": f"x{number}", "kind": "number"} for number in range(x_ND.shape[1])]
    return _written(path, y_N, columns=columns, image=None, numbers_ND=np.ascontiguousarray(x_ND, dtype="<f8"))


def _images(path: Path, x_NCHW: NDArray[Any], y_N: NDArray[Any]) -> str:
    image = list(x_NCHW.shape[1:])
    return _written(path, y_N, columns=[], image=image, images_NCHW=np.round(x_NCHW).astype(np.uint8))


def _written(path: Path, y_N: NDArray[Any], *, columns: list[Any], image: list[int] | None, **arrays: Any) -> str:
    classes = [str(label) for label in np.unique(y_N)]
    meta = {
        "format": 1,
        "problem": "classification",
        "target": "y",
        "classes": classes,
        "columns": columns,
        "image": image,
    }
    np.savez(path, meta=np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8), y_N=y_N.astype(np.int64), **arrays)
    return hashlib.sha256(path.read_bytes()).hexdigest()
