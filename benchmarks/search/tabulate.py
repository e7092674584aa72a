"""Trains the small networks of the suite over a dense grid: python -m benchmarks.search.tabulate.

Iris: one hidden layer of 8 tanh units, full batches, heavy-ball momentum, 60 epochs, 5 seeds.
Digits: one hidden layer, batches, plain gradient descent, 8 epochs, 3 seeds; 600 examples.

What is stored is the mean cross-entropy of the validation examples (nats), its mean over the seeds; one that is above
CEILING, or not finite, is CEILING.
"""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import load_digits, load_iris

# R runs side by side (a batch of networks), N examples, D features, H hidden units, C classes.
Floats = npt.NDArray[np.float64]
TABLES = Path(__file__).parent / "tables"
CEILING = 5.0


def main() -> None:
    """Write both tables."""
    TABLES.mkdir(exist_ok=True)
    for name, tabulate in {"iris": iris, "digits": digits}.items():
        (TABLES / f"{name}.json").write_text(json.dumps(tabulate()) + "\n")


def iris() -> dict[str, object]:
    """Return the table of the iris network: learning_rate x momentum x l2."""
    axes: dict[str, list[float]] = {
        "learning_rate": _logs(-3, 1, 25),
        "momentum": [1 - rest for rest in reversed(_logs(-3, -0.30103, 19))],
        "l2": _logs(-6, -1, 6),
    }
    data = _split(*load_iris(return_X_y=True), seed=0, training=75)
    rows = np.array(list(itertools.product(*axes.values())))
    losses = np.mean([_train_together(rows, data, seed=seed, epochs=60, hidden=8) for seed in range(5)], axis=0)
    shape = tuple(len(axis) for axis in axes.values())
    return {"axes": axes, "losses": np.round(losses.reshape(shape), 5).tolist()}


def digits() -> dict[str, object]:
    """Return the table of the digits network: learning_rate x hidden_units x batch_size x activation."""
    axes: dict[str, list[Any]] = {
        "learning_rate": _logs(-3, 1, 17),
        "hidden_units": [2**power for power in range(1, 8)],
        "batch_size": [16, 64, 256],
        "activation": list(ACTIVATIONS),
    }
    X, y = load_digits(return_X_y=True)
    data = _split(X[:900], y[:900], seed=0, training=600)
    losses = [
        np.mean([_train(rate, hidden, batch, ACTIVATIONS[activation], data, seed) for seed in range(3)])
        for rate, hidden, batch, activation in itertools.product(*axes.values())
    ]
    shape = tuple(len(axis) for axis in axes.values())
    return {"axes": axes, "losses": np.round(np.reshape(losses, shape), 5).tolist()}


def _logs(low: float, high: float, count: int) -> list[float]:
    return [float(f"{10**power:.6g}") for power in np.linspace(low, high, count)]


def _split(X: Floats, y: npt.NDArray[np.int64], *, seed: int, training: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Return training and validation features (normalised by the training ones) and one-hot classes."""
    order = np.random.default_rng(seed).permutation(len(X))
    first, rest = order[:training], order[training:]
    scale = X[first].std(axis=0)
    normal = (X - X[first].mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    classes = np.eye(y.max() + 1)[y]
    return normal[first], classes[first], normal[rest], classes[rest]


def _train_together(rows: Floats, data: tuple[Floats, ...], *, seed: int, epochs: int, hidden: int) -> Floats:
    """Return the validation loss of each of R networks of the same start."""
    X_ND, Y_NC, V_ND, W_NC = data
    rate, momentum, l2 = (column[:, None, None] for column in rows.T)
    rng = np.random.default_rng(seed)
    shapes = [(X_ND.shape[1] + 1, hidden), (hidden + 1, Y_NC.shape[1])]
    weights = [np.tile(rng.normal(0, fan[0] ** -0.5, fan), (len(rows), 1, 1)) for fan in shapes]
    speeds = [np.zeros_like(weight) for weight in weights]
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(epochs):
            gradients = _gradients(weights, X_ND, Y_NC)
            for weight, speed, gradient in zip(weights, speeds, gradients, strict=True):
                speed[:] = momentum * speed - rate * (gradient + l2 * weight)
                weight[:] += speed
        return _bounded(_losses(_logits(weights, V_ND)[-1], W_NC))


def _with_ones(x: Floats) -> Floats:
    return np.concatenate([x, np.ones((*x.shape[:-1], 1))], axis=-1)


def _logits(weights: list[Floats], X_ND: Floats) -> tuple[Floats, Floats, Floats]:
    input_ND = _with_ones(X_ND)
    hidden_RNH = _with_ones(np.tanh(input_ND @ weights[0]))
    return input_ND, hidden_RNH, hidden_RNH @ weights[1]


def _gradients(weights: list[Floats], X_ND: Floats, Y_NC: Floats) -> tuple[Floats, Floats]:
    input_ND, hidden_RNH, logits_RNC = _logits(weights, X_ND)
    error_RNC = (_softmax(logits_RNC) - Y_NC) / len(X_ND)
    back_RNH = (error_RNC @ weights[1].swapaxes(1, 2))[..., :-1] * (1 - hidden_RNH[..., :-1] ** 2)
    return input_ND.T @ back_RNH, hidden_RNH.swapaxes(1, 2) @ error_RNC


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return found


def _losses(logits: Floats, classes: Floats) -> Floats:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    found: Floats = -(log_shares * classes).sum(axis=-1).mean(axis=-1)
    return found


def _bounded(losses: Floats) -> Floats:
    return np.where(np.isfinite(losses), np.minimum(losses, CEILING), CEILING)


Activation = tuple[Callable[[Floats], Floats], Callable[[Floats], Floats]]

ACTIVATIONS: dict[str, Activation] = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda a: (a > 0).astype(float)),
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
}
"""By name: the function, and its slope as a function of its value."""


def _train(rate: float, hidden: int, batch: int, activation: Activation, data: tuple[Floats, ...], seed: int) -> float:
    """Return the validation loss of one network after 8 epochs."""
    X_ND, Y_NC, V_ND, W_NC = data
    function, slope = activation
    rng = np.random.default_rng(seed)
    first, second = (
        rng.normal(0, fan[0] ** -0.5, fan) for fan in [(X_ND.shape[1] + 1, hidden), (hidden + 1, Y_NC.shape[1])]
    )
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in _batches(len(X_ND), batch, epochs=8, rng=rng):
            input_ND = _with_ones(X_ND[rows])
            hidden_NH = function(input_ND @ first)
            error_NC = (_softmax(_with_ones(hidden_NH) @ second) - Y_NC[rows]) / len(rows)
            back_NH = (error_NC @ second[:-1].T) * slope(hidden_NH)
            second -= rate * _with_ones(hidden_NH).T @ error_NC
            first -= rate * input_ND.T @ back_NH
        logits_NC = _with_ones(function(_with_ones(V_ND) @ first)) @ second
        return float(_bounded(_losses(logits_NC, W_NC)))


def _batches(count: int, batch: int, *, epochs: int, rng: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    orders = [rng.permutation(count) for _ in range(epochs)]
    return [order[start : start + batch] for order in orders for start in range(0, count, batch)]


if __name__ == "__main__":
    main()
