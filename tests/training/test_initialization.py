import statistics
from collections.abc import Callable

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


def second_moments(kind: Initialization, activate: Activate, seed: int) -> list[float]:
    """Mean square of the activations after each layer of a deep network."""
    generator = torch.Generator().manual_seed(seed)
    layer = nn.Linear(WIDTH, WIDTH)
    a_NH = torch.randn(EXAMPLES, WIDTH, generator=generator)
    moments = []
    for _ in range(LAYERS):
        initialize(layer, kind, generator)
        with torch.no_grad():
            a_NH = activate(layer(a_NH))
        moments.append(a_NH.square().mean().item())
    return moments


def median_moments(kind: Initialization, activate: Activate) -> list[float]:
    runs = [second_moments(kind, activate, seed) for seed in range(SEEDS)]
    return [statistics.median(moments) for moments in zip(*runs, strict=True)]


def test_activations_keep_their_scale_through_fifty_rectified_layers() -> None:
    moments = median_moments(choose("relu"), torch.relu)

    assert all(0.5 < moment < 2 for moment in moments)


def test_activations_keep_their_scale_through_fifty_linear_layers() -> None:
    moments = median_moments(choose(None), nn.Identity())

    assert all(0.5 < moment < 2 for moment in moments)


def test_activations_of_tanh_fade_no_faster_than_a_quarter_of_the_depth() -> None:
    moments = median_moments(choose("tanh"), torch.tanh)

    assert all(moment >= 1 / (4 * layer) for layer, moment in enumerate(moments, start=1))


def test_rectified_activations_fade_with_half_the_variance() -> None:
    moments = second_moments(Initialization.LECUN, torch.relu, seed=0)

    assert moments[-1] < 1e-10
