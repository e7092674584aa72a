"""Draws the rules of docs/practice.md from real trainings, into docs/practice.svg: python -m benchmarks.practice.

Digits, perceptrons, torch with one thread; small data are the 298 examples that a validation set of 600 and a test set
of 899 leave. Each point is the mean over the seeds.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.charts import Axis, Chart, Points
from benchmarks.search.panels import Panel, picture
from trimtab.data import DataSpec, SplitSpec
from trimtab.message import Params
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.tasks import begin
from workers.training.initialization import Initialization, initialize
from workers.training.schedule import Schedule
from workers.training.steps import Epoch

FILE = Path(__file__).parents[1] / "docs" / "practice.svg"
SEEDS = range(3)
EPOCHS = 30

DIGITS = DataSpec()
SMALL = DataSpec(split=SplitSpec(validation=600, test=899))
"""Digits with few examples to train on."""

UNITS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
L2S = (1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)
DEPTHS = (1, 2, 4, 6, 8, 10, 12)
LAYERS, WIDTH, EXAMPLES = 50, 1024, 8

ERROR = Axis(0.01, 1, is_log=True)


def main() -> None:
    """Train, and write the picture."""
    torch.set_num_threads(1)
    FILE.write_text("\n".join(picture(list(panels()), shared=())) + "\n")


def panels() -> Iterator[Panel]:
    """Give the panels, row by row."""
    moments = Chart(Axis(1, LAYERS), Axis(1e-12, 1e3, is_log=True), _moments())
    yield Panel("mean square of activations, by layer", moments.shapes())
    ratios = Chart(Axis(DEPTHS[0], DEPTHS[-1]), Axis(1e-6, 1e3, is_log=True), _ratios())
    yield Panel("first gradient / last, by layers", ratios.shapes())
    yield Panel("learning rate, by epoch", Chart(Axis(1, EPOCHS), Axis(0, 1), _schedules()).shapes())
    rates = Chart(Axis(RATES[0], RATES[-1], is_log=True), ERROR, _errors("learning_rate", RATES))
    yield Panel("error, by learning rate (adam)", rates.shapes())
    units = Chart(Axis(UNITS[0], UNITS[-1], is_log=True), ERROR, _errors("hidden_units", UNITS))
    yield Panel("error, by hidden units", units.shapes())
    dropouts = Chart(Axis(DROPOUTS[0], DROPOUTS[-1]), ERROR, _errors("dropout", DROPOUTS, SMALL))
    yield Panel("error, by dropout (small data)", dropouts.shapes())
    l2s = Chart(Axis(L2S[0], L2S[-1], is_log=True), ERROR, _errors("l2", L2S, SMALL))
    yield Panel("error, by l2 (small data)", l2s.shapes())
    yield Panel("loss, by epoch, l2 (small data)", _losses())


def trained(params: Params, data: DataSpec, seed: int) -> list[Epoch]:
    """Return the epochs of a training as a worker would train it, the last one with all that is told."""
    task = TaskSpec(name="mlp", data=data)
    training = begin(task, params, seed=seed, purpose=Purpose.SEARCH, files={}, device=torch.device("cpu"))
    return [*training.epochs()]


def _errors(name: str, values: Sequence[float], data: DataSpec = DIGITS) -> dict[str, Points]:
    runs = {
        value: [trained({"epochs": EPOCHS, name: value}, data, seed)[-1].metrics for seed in SEEDS] for value in values
    }
    return {
        metric: [
            (value, statistics.fmean(run[f"{metric}_error"] for run in of_value)) for value, of_value in runs.items()
        ]
        for metric in ("training", "validation")
    }


def _losses() -> Iterator[str]:
    lines: dict[str, Points] = {}
    for l2 in (0.0, 0.01):
        epochs = trained({"epochs": 150, "hidden_units": 256, "l2": l2}, SMALL, seed=0)
        for metric in ("training", "validation"):
            lines[f"{metric}, {l2:g}"] = [(epoch.step, epoch.metrics[f"{metric}_loss"]) for epoch in epochs]
    return Chart(Axis(1, 150), Axis(1e-3, 3, is_log=True), lines).shapes()


def _ratios() -> dict[str, Points]:
    def ratio(activation: str, layers: int) -> float:
        params: Params = {"epochs": 1, "hidden_layers": layers, "hidden_units": 64, "activation": activation}
        runs = [trained(params, DIGITS, seed)[0].metrics for seed in SEEDS]
        return statistics.median(run["first_gradient_norm"] / run["last_gradient_norm"] for run in runs)

    return {
        activation: [(layers, ratio(activation, layers)) for layers in DEPTHS]
        for activation in ("relu", "tanh", "sigmoid")
    }


def _schedules() -> dict[str, Points]:
    rates = {"none": 0.0, "inverse_time": 0.1, "exponential": 0.05, "staircase": 0.1, "cosine": 0.0}
    return {
        decay: [(epoch, Schedule(decay, rate, EPOCHS).share(epoch)) for epoch in range(1, EPOCHS + 1)]
        for decay, rate in rates.items()
    }


def _moments() -> dict[str, Points]:
    return {
        "relu, he": _moments_of(torch.relu, Initialization.HE),
        "tanh, lecun": _moments_of(torch.tanh, Initialization.LECUN),
        "relu, lecun": _moments_of(torch.relu, Initialization.LECUN),
    }


@torch.no_grad()
def _moments_of(activate: Callable[[Tensor], Tensor], kind: Initialization) -> Points:
    generator = torch.Generator().manual_seed(0)
    a_NH = torch.randn(EXAMPLES, WIDTH, generator=generator)
    layer, points = nn.Linear(WIDTH, WIDTH), []
    for number in range(1, LAYERS + 1):
        initialize(layer, kind, generator)
        a_NH = activate(layer(a_NH))
        points.append((float(number), a_NH.square().mean().item()))
    return points


if __name__ == "__main__":
    main()
