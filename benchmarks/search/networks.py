"""Two small networks, trained once over a dense grid (tabulate.py): the losses are read from a table.

The loss at a point is the multilinear interpolation of the table in the coordinates of each parameter's scale; choices
are looked up. What is searched is therefore the table and not the training itself: it has no noise, and its least loss
lies on a point of the grid and is known.
"""

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from benchmarks.search.problems import Problem
from trimtab.message import FlatParams, Scalar
from trimtab.space import Categorical, Float, Int, Scale, Space

_TABLES = Path(__file__).parent / "tables"


class Table:
    """The losses of a network at each point of a grid.

    Args:
        axes: The values of each parameter, by name.
        losses: For each point, as nested lists in the order of the axes.
        space: The scales of the parameters.
    """

    def __init__(self, axes: Mapping[str, Sequence[Scalar]], losses: object, space: Space) -> None:
        self._axes, self._space = axes, space
        self._losses = np.array(losses)
        coordinates = [[self._coordinate(name, value) for value in axis] for name, axis in axes.items()]
        self._read = RegularGridInterpolator([np.array(axis) for axis in coordinates], self._losses)

    def loss(self, params: FlatParams) -> float:
        """Return the loss at a point of the space."""
        at = [self._coordinate(name, params[name]) for name in self._axes]
        # A bound of the space and the end of the axis may differ in the last bit.
        inside = [min(max(x, axis[0]), axis[-1]) for x, axis in zip(at, self._read.grid, strict=True)]
        return float(self._read(inside)[0])

    @property
    def best(self) -> FlatParams:
        """The point of the grid with the least loss."""
        points = list(itertools.product(*self._axes.values()))
        return dict(zip(self._axes, points[int(self._losses.argmin())], strict=True))

    def _coordinate(self, name: str, value: Scalar) -> float:
        match self._space[name]:
            case Categorical():
                return float(self._axes[name].index(value))
            case Float(scale=Scale.REVERSE_LOG):
                return -math.log(1 - float(value))
            case Float(scale=Scale.LOG) | Int(scale=Scale.LOG):
                return math.log(float(value))
            case _:
                return float(value)


IRIS = Space(
    {
        "learning_rate": Float(low=1e-3, high=10.0, scale=Scale.LOG),
        "momentum": Float(low=0.5, high=0.999, scale=Scale.REVERSE_LOG),
        "l2": Float(low=1e-6, high=0.1, scale=Scale.LOG),
    }
)
DIGITS = Space(
    {
        "learning_rate": Float(low=1e-3, high=10.0, scale=Scale.LOG),
        "hidden_units": Int(low=2, high=128, scale=Scale.LOG),
        "batch_size": Categorical(choices=(16, 64, 256)),
        "activation": Categorical(choices=("relu", "tanh", "sigmoid")),
    }
)


@cache
def networks() -> tuple[Problem, ...]:
    """Return the problems whose loss stands in a table."""
    return _problem("iris", IRIS), _problem("digits", DIGITS)


def _problem(name: str, space: Space) -> Problem:
    stored = json.loads((_TABLES / f"{name}.json").read_text())
    table = Table(stored["axes"], stored["losses"], space)
    return Problem(name, space, table.loss, table.best)
