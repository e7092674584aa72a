"""Eight functions of known optimum. None has it in the middle of its space, where some samplers begin."""

import math

import numpy as np

from benchmarks.search.problems import Problem
from trimtab.message import FlatParams
from trimtab.space import Categorical, Float, Int, Scale, Space

# D coordinates.
_CENTER_D = np.array([0.3, -0.2, 0.5, -0.6])
_EIGENVALUES_D = np.array([1.0, 10.0, 100.0, 1000.0])
_AXES_DD = np.linalg.qr(np.random.RandomState(0).normal(size=(4, 4)))[0]
_RASTRIGIN_CENTER_D = np.array([1.3, -2.1, 0.6])
_ONE_THAT_MATTERS = "x3"
_COORDINATES = ("x0", "x1", "x2", "x3")


def _vector(params: FlatParams) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([float(value) for value in params.values()])


def _point(center_D: np.ndarray[tuple[int], np.dtype[np.float64]]) -> FlatParams:
    return {name: float(value) for name, value in zip(_COORDINATES, center_D, strict=False)}


def _sphere(params: FlatParams) -> float:
    return float(((_vector(params) - _CENTER_D) ** 2).sum())


def _rosenbrock(params: FlatParams) -> float:
    x, y = _vector(params)
    return float(100 * (y - x**2) ** 2 + (1 - x) ** 2)


def _ellipsoid(params: FlatParams) -> float:
    along_D = _AXES_DD.T @ (_vector(params) - _CENTER_D)
    return float((_EIGENVALUES_D * along_D**2).sum())


def _rastrigin(params: FlatParams) -> float:
    x_D = _vector(params) - _RASTRIGIN_CENTER_D
    return float((x_D**2 + 10 * (1 - np.cos(2 * math.pi * x_D))).sum())


def _one_of_many(params: FlatParams) -> float:
    return (float(params[_ONE_THAT_MATTERS]) - 0.37) ** 2


def _mixed(params: FlatParams) -> float:
    """Loses for each part; deep networks want fewer units, and the wrong activation costs more with depth."""
    layers, units = float(params["layers"]), math.log2(float(params["units"]))
    activation = {"relu": 0.0, "gelu": 0.02, "tanh": 0.04 * layers, "sigmoid": 0.08 * layers}
    optimizer = {"adam": 0.0, "momentum": 0.05, "sgd": 0.2}
    shape = 0.02 * (layers - 3) ** 2 + 0.05 * (units + 0.5 * (layers - 3) - 7) ** 2
    dropout = (float(params["dropout"]) - 0.2) ** 2
    return shape + dropout + activation[str(params["activation"])] + optimizer[str(params["optimizer"])]


def _conditional(params: FlatParams) -> float:
    """Each optimizer has its own best learning rate, its own parameter, and the least loss that it can reach."""
    rate = math.log10(float(params["learning_rate"]))
    match params["optimizer"]:
        case "sgd":
            return 0.1 + 0.1 * (rate + 0.5) ** 2
        case "momentum":
            return 0.1 * (rate + 2) ** 2 + 0.1 * (math.log10(1 - float(params["momentum"])) + 1.5) ** 2
        case _:
            decay = math.log10(float(params["weight_decay"])) if params["is_decayed"] else -8.0
            return 0.05 + 0.1 * (rate + 3) ** 2 + 0.01 * (decay + 3) ** 2


def _bowl(params: FlatParams) -> float:
    """What a step is worth is learning_rate / (1 - momentum): steep in that ratio, shallow along it."""
    rate, rest = math.log10(float(params["learning_rate"])), math.log10(1 - float(params["momentum"]))
    return (rate - rest + 0.5) ** 2 + 0.01 * (rate + rest + 3.5) ** 2


def _box(dimensions: int, low: float, high: float) -> Space:
    return Space({f"x{position}": Float(low=low, high=high) for position in range(dimensions)})


FUNCTIONS = (
    Problem("sphere", _box(4, -1, 1), _sphere, _point(_CENTER_D)),
    Problem("rosenbrock", _box(2, -2, 2), _rosenbrock, {"x0": 1.0, "x1": 1.0}, is_narrow_valley=True),
    Problem("ellipsoid", _box(4, -1, 1), _ellipsoid, _point(_CENTER_D), is_narrow_valley=True),
    Problem("rastrigin", _box(3, -5.12, 5.12), _rastrigin, _point(_RASTRIGIN_CENTER_D)),
    Problem("one_of_many", _box(10, 0, 1), _one_of_many, {f"x{position}": 0.37 for position in range(10)}),
    Problem(
        "mixed",
        Space(
            {
                "layers": Int(low=1, high=8),
                "units": Int(low=16, high=512, scale=Scale.LOG),
                "activation": Categorical(choices=("relu", "gelu", "tanh", "sigmoid")),
                "optimizer": Categorical(choices=("sgd", "momentum", "adam")),
                "dropout": Float(low=0.0, high=0.6, step=0.05),
            }
        ),
        _mixed,
        {"layers": 3, "units": 128, "activation": "relu", "optimizer": "adam", "dropout": 0.2},
    ),
    Problem(
        "conditional",
        Space(
            {
                "optimizer": Categorical(choices=("sgd", "momentum", "adam")),
                "learning_rate": Float(low=1e-5, high=1.0, scale=Scale.LOG),
                "momentum": Float(low=0.5, high=0.999, scale=Scale.REVERSE_LOG, when={"optimizer": ("momentum",)}),
                "is_decayed": Categorical(choices=(False, True), when={"optimizer": ("adam",)}),
                "weight_decay": Float(low=1e-6, high=0.1, scale=Scale.LOG, when={"is_decayed": (True,)}),
            }
        ),
        _conditional,
        {"optimizer": "momentum", "learning_rate": 0.01, "momentum": 1 - 10**-1.5},
    ),
    Problem(
        "bowl",
        Space(
            {
                "learning_rate": Float(low=1e-5, high=1.0, scale=Scale.LOG),
                "momentum": Float(low=0.5, high=0.9999, scale=Scale.REVERSE_LOG),
            }
        ),
        _bowl,
        {"learning_rate": 0.01, "momentum": 1 - 10**-1.5},
        is_narrow_valley=True,
    ),
)
