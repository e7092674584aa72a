from dataclasses import replace

import pytest
import torch
from torch import nn

from workers.training.network import Architecture, Dropout, perceptron
from workers.training.randomness import Randomness

CPU = torch.device("cpu")
SHAPE = Architecture(
    features=64,
    classes=10,
    hidden_units=(128, 128),
    activation="relu",
    initialization="auto",
    dropout=(0.5, 0.5),
)


def build(shape: Architecture, seed: int = 0) -> nn.Sequential:
    return perceptron(shape, Randomness.from_seed(seed, device=CPU))


def linear_layers(network: nn.Sequential) -> list[nn.Linear]:
    return [module for module in network if isinstance(module, nn.Linear)]


def test_hidden_layers_are_activated_and_dropped_and_the_output_layer_is_neither() -> None:
    network = build(SHAPE)

    assert [type(module) for module in network] == [
        *(nn.Linear, nn.ReLU, Dropout),
        *(nn.Linear, nn.ReLU, Dropout),
        nn.Linear,
    ]


def test_without_hidden_layers_it_is_a_linear_classifier_and_drops_nothing() -> None:
    network = build(replace(SHAPE, hidden_units=(), dropout=()))

    assert [type(module) for module in network] == [nn.Linear]
    assert network(torch.zeros(3, 64)).shape == (3, 10)


def test_auto_gives_each_layer_the_weights_that_suit_what_follows_it() -> None:
    layers = linear_layers(build(replace(SHAPE, hidden_units=(1024, 1024))))

    deviations = [layer.weight.std().item() for layer in layers]

    assert deviations == pytest.approx([(2 / 64) ** 0.5, (2 / 1024) ** 0.5, (1 / 1024) ** 0.5], rel=0.05)


def test_a_named_initialization_holds_for_every_layer() -> None:
    layers = linear_layers(build(replace(SHAPE, initialization="xavier", hidden_units=(1024, 1024))))

    deviations = [layer.weight.std().item() for layer in layers]

    assert deviations == pytest.approx([(2 / 1088) ** 0.5, (2 / 2048) ** 0.5, (2 / 1034) ** 0.5], rel=0.05)


def test_dropout_drops_its_share_and_keeps_the_expectation() -> None:
    dropout = Dropout(0.3, torch.Generator().manual_seed(0))

    dropped_NH = dropout(torch.ones(1000, 1000))

    # A million draws: the share is known to 0.0005 (one standard error).
    assert (dropped_NH == 0).float().mean().item() == pytest.approx(0.3, abs=0.003)
    assert dropped_NH.max().item() == pytest.approx(1 / 0.7)
    assert dropped_NH.mean().item() == pytest.approx(1, abs=0.004)


def test_dropout_is_off_in_evaluation() -> None:
    network = build(SHAPE).eval()
    x_ND = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))

    kept = build(replace(SHAPE, dropout=(0.0, 0.0)))

    assert torch.equal(network(x_ND), kept(x_ND))


def test_the_gradient_passes_only_through_units_that_stayed() -> None:
    dropout = Dropout(0.5, torch.Generator().manual_seed(0))
    a_NH = torch.ones(4, 8, requires_grad=True)

    dropped_NH = dropout(a_NH)
    dropped_NH.sum().backward()

    assert a_NH.grad is not None
    assert torch.equal(a_NH.grad, dropped_NH.detach())


def test_the_seed_is_all_the_randomness_of_the_weights() -> None:
    x_ND = torch.randn(5, 64, generator=torch.Generator().manual_seed(0))
    before = torch.get_rng_state()

    first, again, other = (build(SHAPE, seed).eval()(x_ND) for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
