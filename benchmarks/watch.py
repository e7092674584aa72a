"""What watching costs: epochs of one training in turns that see nothing, gradients, and activations as well.

`python -m benchmarks.watch` prints a line for each size of network, in processor time of the one thread: of the tenth
of the epochs that was disturbed least. Epochs of the same training: two networks differ by a hundredth by where in
memory they lie.
"""

import time
from collections.abc import Iterator, Mapping
from unittest.mock import patch

import torch

from trimtab.data import DataSpec
from trimtab.message import Params
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.tasks import begin
from workers.training.loop import Training
from workers.training.steps import Epoch
from workers.training.watch import Gradients

SIZES: dict[str, Params] = {
    "20 ms": {"hidden_layers": 3, "hidden_units": 192, "batch_size": 64},
    "50 ms": {"hidden_layers": 4, "hidden_units": 256, "batch_size": 32},
}
"""Epochs of about so long on a core of today."""

ROUNDS = 200
WARM_UP = 3


class Blind(Gradients):
    """Looks at no gradient."""

    def look(self, *, step: int, batch: int) -> None:
        """Look away."""

    def figures(self, seen: Mapping[str, float]) -> dict[str, float]:
        """Return what stands for gradients."""
        return dict.fromkeys(("gradient_norm", "first_gradient_norm", "last_gradient_norm"), 1.0)


class Watched(Training):
    """A training that is told what to look at."""

    looks = 0
    """At activations, that there would have been."""

    def look_at(self, wanted: str) -> None:
        """Look at activations and gradients from now on, at gradients alone, or at nothing."""
        self._wanted = wanted
        self._gradients = (Blind if wanted == "nothing" else Gradients)(self._network)

    def _is_watched(self, step: int) -> bool:
        self.looks += super()._is_watched(step)
        return self._wanted == "activations"


def main() -> None:
    """Measure each size, and print it."""
    torch.set_num_threads(1)
    for name, params in SIZES.items():
        training = _training(params)
        seconds, every = _measured(training)
        blind, gradients, activations = (sorted(each)[len(each) // 10] for each in seconds.values())
        by_gradients, by_activations = gradients / blind - 1, (activations - gradients) / blind
        print(
            f"epochs of {name}: {1000 * blind:.1f} ms; gradients {by_gradients:+.2%}, activations {by_activations:+.2%}"
            f" in one of {every} epochs: {by_gradients + by_activations / every:+.2%}"
        )


def _measured(training: Watched) -> tuple[dict[str, list[float]], int]:
    """Return the seconds of epochs by what is looked at in them, and in one of how many activations would be."""
    epochs = training.epochs()
    seconds: dict[str, list[float]] = {"nothing": [], "gradients": [], "activations": []}
    for _ in range(ROUNDS):
        for wanted, spent in seconds.items():
            training.look_at(wanted)
            spent.append(_seconds(epochs))
    return {wanted: spent[WARM_UP:] for wanted, spent in seconds.items()}, round(len(seconds) * ROUNDS / training.looks)


def _training(params: Params) -> Watched:
    task = TaskSpec(name="mlp", data=DataSpec())
    cpu = torch.device("cpu")
    given = {**params, "epochs": 10 * ROUNDS}
    with patch("workers.tasks.Training", Watched):
        training = begin(task, given, seed=0, purpose=Purpose.SEARCH, files={}, device=cpu)
    assert isinstance(training, Watched)
    return training


def _seconds(epochs: Iterator[Epoch]) -> float:
    began_at = time.process_time()
    next(epochs)
    return time.process_time() - began_at


if __name__ == "__main__":
    main()
