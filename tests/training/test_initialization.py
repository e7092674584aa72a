import statistics
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from workers.training.initialization import Initialization, choose, initialize, standard_deviation

LAYERS, WIDTH, EXAMPLES, SEEDS = 50, 2048, 8, 3

Activate = Callable[[Tensor], Tensor]


def test_the_three_formulas() -> None:
    shape = {"inputs": 50, "outputs": 150}

    assert standard_deviation(Initialization.HE, **shape) == pytest.approx(0.2)
    assert standard_deviation(Initialization.LECUN, **shape) == pytest.approx(0.02**0.5)
    assert standard_deviation(Initialization.XAVIER, **shape) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("activation", "kind"),
    [
        ("relu", Initialization.HE),
        ("leaky_relu", Initialization.HE),
        ("gelu", Initialization.HE),
        ("tanh", Initialization.LECUN),
        ("sigmoid", Initialization.LECUN),
        (None, Initialization.LECUN),
    ],
)
def test_rectifiers_get_twice_the_variance(activation: str | None, kind: Initialization) -> None:
    assert choose(activation) is kind


def test_weights_are_drawn_and_biases_are_zero() -> None:
    layer = nn.Linear(400, 500)

    initialize(layer, Initialization.HE, torch.Generator().manual_seed(0))

    # 200,000 draws: the deviation is known to 0.16 % (one standard error), the mean to 0.00016.
    assert layer.weight.std().item() == pytest.approx((2 / 400) ** 0.5, rel=0.01)
    assert layer.weight.mean().item() == pytest.approx(0, abs=0.001)
    assert layer.bias.tolist() == [0.0] * 500


@dataclass(frozen=True)
class Deep:
    """A deep network: its activation and the kind of its weights."""

    activate: Activate
    kind: Initialization


DEEP = {
    "rectified": Deep(torch.relu, choose("relu")),
    "linear": Deep(nn.Identity(), choose(None)),
    "tanh": Deep(torch.tanh, choose("tanh")),
    "rectified with half the variance": Deep(torch.relu, Initialization.LECUN),
}


@torch.no_grad()
def second_moments(seed: int) -> dict[str, list[float]]:
    """Mean square of the activations after each layer of each deep network.

    All have the same draws, and what differs is their scale: to draw 200 million numbers takes most of the time.
    """
    generator = torch.Generator().manual_seed(seed)
    layer = nn.utils.skip_init(nn.Linear, WIDTH, WIDTH)  # type: ignore[no-untyped-call]
    a_NH = torch.randn(EXAMPLES, WIDTH, generator=generator)
    activations, moments = dict.fromkeys(DEEP, a_NH), {name: list[float]() for name in DEEP}
    for _ in range(LAYERS):
        initialize(layer, Initialization.LECUN, generator)
        for name, deep in DEEP.items():
            scale = standard_deviation(deep.kind, inputs=WIDTH, outputs=WIDTH) * WIDTH**0.5
            activations[name] = deep.activate(scale * layer(activations[name]))
            moments[name].append(activations[name].square().mean().item())
    return moments


@pytest.fixture(scope="module")
def medians() -> dict[str, list[float]]:
    """The second moments after each layer: medians over seeds."""
    runs = [second_moments(seed) for seed in range(SEEDS)]
    return {name: [statistics.median(run[name][layer] for run in runs) for layer in range(LAYERS)] for name in DEEP}


@pytest.mark.parametrize("name", ["rectified", "linear"])
def test_activations_keep_their_scale_through_fifty_layers(medians: dict[str, list[float]], name: str) -> None:
    assert all(0.5 < moment < 2 for moment in medians[name])


def test_activations_of_tanh_fade_no_faster_than_a_quarter_of_the_depth(medians: dict[str, list[float]]) -> None:
    assert all(moment >= 1 / (4 * layer) for layer, moment in enumerate(medians["tanh"], start=1))


def test_rectified_activations_fade_with_half_the_variance(medians: dict[str, list[float]]) -> None:
    assert medians["rectified with half the variance"][-1] < 1e-10


@pytest.mark.parametrize("kind", list(Initialization))
@pytest.mark.parametrize(
    "layer", [nn.Linear(300, 200), nn.Conv2d(20, 200, 5), nn.Conv2d(300, 200, 1, bias=False)], ids=str
)
def test_inputs_and_outputs_of_a_layer_are_counted_as_torch_counts_them(
    layer: nn.Linear | nn.Conv2d, kind: Initialization
) -> None:
    inputs, outputs = nn.init._calculate_fan_in_and_fan_out(layer.weight)

    initialize(layer, kind, torch.Generator().manual_seed(0), gain=3.0)

    # 60,000 draws or more: their deviation is known to 0.3 % (one standard error).
    expected = 3.0 * standard_deviation(kind, inputs=inputs, outputs=outputs)
    assert layer.weight.std().item() == pytest.approx(expected, rel=0.015)
    assert layer.bias is None or not layer.bias.any()
