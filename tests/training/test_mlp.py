import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.runs import run
from trimtab.data import DataSpec, SplitSpec
from trimtab.message import Params, Scalar
from trimtab.space import Categorical
from trimtab.tasks import MLP, TASKS
from workers.tasks import BUILDS
from workers.tasks.mlp import build
from workers.training.data import prepare
from workers.training.randomness import Randomness

CPU = torch.device("cpu")
DIGITS = DataSpec()
REPOSITORY = Path(__file__).parents[2]
GOOD: Params = {
    "hidden_units": 256,
    "hidden_layers": 2,
    "batch_size": 128,
    "learning_rate": 3e-3,
    "dropout": 0.3,
    "decay": "cosine",
}
DEFAULTS: Params = {name: knob.default for name, knob in MLP.hyperparameters.items()}
CHOICES = [
    (name, choice)
    for name, knob in MLP.hyperparameters.items()
    if isinstance(knob.allowed, Categorical) and name != "loss"
    for choice in knob.allowed.choices
]


def curve(params: Params, *, seed: int = 0, data: DataSpec = DIGITS) -> list[dict[str, float]]:
    return [epoch.metrics for epoch in run(params, data, seed=seed).epochs()]


def test_good_hyperparameters_reach_three_percent_on_digits() -> None:
    metrics = curve(GOOD)[-1]

    assert metrics["validation_error"] <= 0.03
    assert metrics["training_error"] <= 0.01


@pytest.mark.parametrize("dataset", ["digits", "breast_cancer", "wine", "iris"])
def test_every_data_set_can_be_learnt_in_the_default_number_of_epochs(dataset: str) -> None:
    figures = curve({"learning_rate": 0.01}, data=DataSpec(dataset=dataset))

    assert len(figures) == MLP.hyperparameters["epochs"].default
    assert figures[-1]["training_error"] < 0.03
    assert figures[-1]["validation_error"] < 0.2  # of iris 30 examples validate: five of them


def test_a_number_is_learnt_with_every_loss_that_it_can_have() -> None:
    data = DataSpec(dataset="diabetes")
    params: Params = {"epochs": 15, "learning_rate": 0.01}

    errors = {
        loss: curve({**params, "loss": loss}, data=data)[-1]["validation_error"]
        for loss in ("auto", "squared", "absolute", "huber")
    }

    # Of the variance a linear model explains half: an error of 0.7 standard deviations.
    assert max(errors.values()) < 0.85
    assert errors["auto"] == errors["squared"]
    assert len({*errors.values()}) == 3


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_every_choice_of_every_hyperparameter_trains(name: str, choice: Scalar) -> None:
    first, second = curve({name: choice, "hidden_layers": 2, "epochs": 2})

    assert second["training_loss"] < first["training_loss"]


def test_each_epoch_reports_the_metrics_that_the_task_names() -> None:
    (metrics,) = curve({"epochs": 1})

    assert {*MLP.metrics} <= {*metrics}


def test_the_tasks_are_those_of_the_vocabulary() -> None:
    assert BUILDS.keys() == TASKS.keys()


def test_params_shape_the_network() -> None:
    data = prepare(DataSpec(dataset="wine"), device=CPU)

    network = build({**DEFAULTS, "hidden_layers": 3, "hidden_units": 7}, data, Randomness.from_seed(0, device=CPU))

    shapes = [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim == 2]
    assert shapes == [(7, 13), (7, 7), (7, 7), (3, 7)]


def test_the_same_seed_gives_the_same_figures_bit_for_bit_whatever_else_draws() -> None:
    params = {**GOOD, "epochs": 3}
    expected = curve(params)

    torch.manual_seed(12345)
    first = run(params, seed=0).epochs()
    neighbour = run(params, seed=1).epochs()
    figures = []
    for epoch, other in zip(first, neighbour, strict=True):
        figures.append(epoch.metrics)
        torch.rand(int(100 * other.metrics["training_loss"]) + 1)

    assert figures == expected


def test_another_process_gives_the_same_figures_bit_for_bit() -> None:
    program = (
        "import torch; torch.set_num_threads(1)\n"
        "from tests.training.test_mlp import GOOD, curve\n"
        "print(curve(GOOD | {'epochs': 2}))"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPOSITORY)

    assert told.stdout.strip() == str(curve({**GOOD, "epochs": 2}))


def test_another_seed_gives_other_figures() -> None:
    first, other = (curve({"epochs": 1}, seed=seed) for seed in (0, 1))

    assert first != other


def test_the_seed_of_the_split_chooses_the_examples() -> None:
    first, other = (curve({"epochs": 1}, data=DataSpec(split=SplitSpec(seed=seed)))[0] for seed in (0, 1))

    assert first != other


def test_a_list_of_equal_values_is_the_same_as_one_value() -> None:
    shared = {**GOOD, "epochs": 2, "hidden_layers": 2, "hidden_units": 32, "dropout": 0.1}

    assert curve({**shared, "hidden_units": (32, 32), "dropout": (0.1, 0.1)}) == curve(shared)


def test_each_layer_has_the_units_that_a_list_gives_it() -> None:
    params = {**GOOD, "epochs": 1, "hidden_layers": 2, "hidden_units": (20, 30), "dropout": (0.0, 0.5)}

    (metrics,) = curve(params)

    assert metrics["parameters"] == (64 + 1) * 20 + (20 + 1) * 30 + (30 + 1) * 10
