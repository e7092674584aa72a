import pytest

from tests.training.runs import run
from trimtab.data import DataSpec
from trimtab.message import Params, Scalar
from trimtab.space import Categorical
from trimtab.tasks import CNN
from trimtab.tasks.cnn import CONVOLUTION

GOOD: Params = {
    "channels": 32,
    "normalization": "batch",
    "learning_rate": 0.01,
    "decay": "cosine",
    "dropout": 0.3,
    "epochs": 20,
}
SMALL: Params = {"channels": 8, "epochs": 2, "learning_rate": 3e-3}
CHOICES = [
    (name, choice)
    for name in (*CONVOLUTION, "activation", "normalization", "initialization")
    if isinstance(allowed := CNN.hyperparameters[name].allowed, Categorical)
    for choice in allowed.choices
]


def curve(params: Params, *, seed: int = 0) -> list[dict[str, float]]:
    return [epoch.metrics for epoch in run(params, DataSpec(dataset="digits"), task="cnn", seed=seed).epochs()]


def test_good_hyperparameters_reach_two_percent_on_digits() -> None:
    metrics = curve(GOOD)[-1]

    assert metrics["validation_error"] <= 0.02
    assert metrics["training_error"] <= 0.01


@pytest.mark.parametrize(("name", "choice"), CHOICES)
def test_every_choice_of_what_a_perceptron_has_not_trains(name: str, choice: Scalar) -> None:
    first, second = curve({**SMALL, name: choice})

    assert second["training_loss"] < first["training_loss"]


def test_params_shape_the_network() -> None:
    params: Params = {**SMALL, "epochs": 1, "conv_blocks": 3, "channels": (4, 6, 5), "residual": True}

    (metrics,) = curve({**params, "hidden_layers": 2, "hidden_units": (20, 30), "dropout": (0.1, 0.0)})

    blocks = (9 * 1 + 1) * 4 + (9 * 4 + 1) * 6 + (9 * 6 + 1) * 5
    projections = 1 * 4 + 4 * 6 + 6 * 5
    head = (5 * 1 * 1 + 1) * 20 + (20 + 1) * 30 + (30 + 1) * 10
    assert metrics["parameters"] == blocks + projections + head


def test_without_hidden_layers_dropout_is_of_what_the_last_block_gives() -> None:
    dropped, kept = curve({**SMALL, "dropout": 0.5}), curve(SMALL)

    assert dropped[0]["parameters"] == kept[0]["parameters"]
    assert dropped != kept


def test_a_list_of_no_layers_drops_nothing() -> None:
    assert curve({**SMALL, "dropout": ()}) == curve(SMALL)


def test_the_same_seed_gives_the_same_figures_bit_for_bit() -> None:
    params: Params = {**SMALL, "normalization": "batch", "dropout": 0.2, "input_dropout": 0.1, "residual": True}

    first, again, other = curve(params), curve(params), curve(params, seed=1)

    assert first == again
    assert first != other
