"""What watching costs: epochs of trainings that are alike but that one of them looks at nothing, side by side.

`python -m benchmarks.watch` prints a line for each size of network, in processor time of the one thread: of the tenth
of the epochs that was disturbed least, and in the median, which a busy machine makes longer.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from statistics import median
from unittest.mock import patch

import torch
from torch import nn

from trimtab.data import DataSpec
from trimtab.message import Params
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.tasks import begin
from workers.training.steps import Epoch, Steps
from workers.training.watch import Activity, Gradients

SIZES: dict[str, Params] = {
    "20 ms": {"hidden_layers": 3, "hidden_units": 192, "batch_size": 64},
    "50 ms": {"hidden_layers": 4, "hidden_units": 256, "batch_size": 32},
}
"""Epochs of about so long on a core of today."""

EPOCHS = 200
WARM_UP = 3


class Blind(Gradients):
    """Looks at no gradient."""

    def look(self, *, step: int, batch: int) -> None:
        """Look away."""

    def figures(self, seen: Mapping[str, float]) -> dict[str, float]:
        """Return what stands for gradients."""
        return dict.fromkeys(("gradient_norm", "first_gradient_norm", "last_gradient_norm"), 1.0)


def main() -> None:
    """Measure each size, and print it."""
    torch.set_num_threads(1)
    for name, params in SIZES.items():
        seeing = _training(params).epochs()
        with _blind():
            blind = _training(params).epochs()
        seconds = [_pair(seeing, blind, number) for number in range(EPOCHS)][WARM_UP:]
        watching, without = (sorted(arm) for arm in zip(*seconds, strict=True))
        least = watching[len(watching) // 10] / without[len(without) // 10] - 1
        middle = median(watching) / median(without) - 1
        print(f"epochs of {name}: {1000 * median(without):.1f} ms; with the watch {least:+.2%}, median {middle:+.2%}")


def _training(params: Params) -> Steps:
    task = TaskSpec(name="mlp", data=DataSpec())
    cpu = torch.device("cpu")
    return begin(task, {**params, "epochs": EPOCHS}, seed=0, purpose=Purpose.SEARCH, files={}, device=cpu)


@contextmanager
def _blind() -> Iterator[None]:
    with patch("workers.training.loop.Gradients", Blind), patch("workers.training.judge.watched", _unseen):
        yield


def _unseen(_network: nn.Module, *, examples: int) -> AbstractContextManager[Activity]:
    return nullcontext(Activity(every=examples))


def _pair(seeing: Iterator[Epoch], blind: Iterator[Epoch], number: int) -> tuple[float, float]:
    """Return the seconds of an epoch of each. They take turns in being first: the second finds a warm cache."""
    if number % 2:
        return _seeing_seconds(seeing), _blind_seconds(blind)
    without = _blind_seconds(blind)
    return _seeing_seconds(seeing), without


def _seeing_seconds(epochs: Iterator[Epoch]) -> float:
    began_at = time.process_time()
    next(epochs)
    return time.process_time() - began_at


def _blind_seconds(epochs: Iterator[Epoch]) -> float:
    with _blind():
        return _seeing_seconds(epochs)


if __name__ == "__main__":
    main()
