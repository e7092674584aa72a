from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, softshrink

from workers.training.optimizer import UpdateRule, optimizer_of
from workers.training.regularisation import penalty

RULE = UpdateRule(
    name="sgd",
    learning_rate=0.05,
    momentum=0.8,
    beta1=0.7,
    beta2=0.95,
    epsilon=1e-4,
    l2=0.0,
    weight_decay=0.0,
    l1=0.0,
)
STEPS = 20

Make = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


def network() -> nn.Linear:
    layer = nn.Linear(6, 4).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(generator=generator)
    return layer


def trained(make: Callable[[nn.Module], torch.optim.Optimizer]) -> nn.Linear:
    layer = network()
    optimizer = make(layer)
    x_ND = torch.randn(32, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    y_N = torch.arange(32) % 4
    for _ in range(STEPS):
        optimizer.zero_grad()
        cross_entropy(layer(x_ND), y_N).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return layer


def by(rule: UpdateRule) -> nn.Linear:
    return trained(lambda layer: optimizer_of(layer, rule))


def assert_same(first: nn.Linear, second: nn.Linear) -> None:
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sgd", lambda of: torch.optim.SGD(of, lr=0.05)),
        ("momentum", lambda of: torch.optim.SGD(of, lr=0.05, momentum=0.8)),
        ("nesterov", lambda of: torch.optim.SGD(of, lr=0.05, momentum=0.8, nesterov=True)),
        ("rmsprop", lambda of: torch.optim.RMSprop(of, lr=0.05, alpha=0.95, eps=1e-4)),
        ("adam", lambda of: torch.optim.Adam(of, lr=0.05, betas=(0.7, 0.95), eps=1e-4)),
        ("adamw", lambda of: torch.optim.AdamW(of, lr=0.05, betas=(0.7, 0.95), eps=1e-4, weight_decay=0)),
    ],
)
def test_each_rule_is_torchs_with_our_figures(name: str, make: Make) -> None:
    expected = trained(lambda layer: make(layer.parameters()))

    assert_same(by(replace(RULE, name=name)), expected)


def test_adamw_decays_its_weights_as_torchs_does() -> None:
    def torchs(layer: nn.Module) -> torch.optim.Optimizer:
        weight, bias = layer.parameters()
        groups: list[dict[str, Any]] = [{"params": [weight]}, {"params": [bias], "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=0.05, betas=(0.7, 0.95), eps=1e-4, weight_decay=0.3)

    assert_same(by(replace(RULE, name="adamw", weight_decay=0.3)), trained(torchs))


def test_l2_and_weight_decay_are_equal_under_plain_sgd() -> None:
    assert_same(by(replace(RULE, l2=0.1)), by(replace(RULE, weight_decay=0.1)))


@pytest.mark.parametrize("name", ["momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_l2_and_weight_decay_differ_under_rules_with_a_memory(name: str) -> None:
    coupled = by(replace(RULE, name=name, l2=0.1)).weight
    decoupled = by(replace(RULE, name=name, weight_decay=0.1)).weight

    assert (coupled - decoupled).abs().max().item() > 1e-3


def test_l2_adds_its_multiple_of_the_weights_to_the_gradient() -> None:
    def penalised(layer: nn.Module) -> torch.optim.Optimizer:
        weight = next(iter(layer.parameters()))
        weight.register_hook(  # type: ignore[no-untyped-call]
            lambda gradient: gradient + 0.1 * weight.detach()
        )
        return torch.optim.Adam(layer.parameters(), lr=0.05, betas=(0.7, 0.95), eps=1e-4)

    assert_same(by(replace(RULE, name="adam", l2=0.1)), trained(penalised))


@pytest.mark.parametrize("decay", ["l2", "weight_decay"])
def test_biases_never_decay(decay: str) -> None:
    layer = network()
    bias_before, weight_before = layer.bias.detach().clone(), layer.weight.detach().clone()
    rule = replace(RULE, l2=0.5) if decay == "l2" else replace(RULE, weight_decay=0.5)
    optimizer = optimizer_of(layer, rule)

    layer(torch.zeros(1, 6, dtype=torch.float64)).sum().mul(0).backward()
    optimizer.step()

    assert torch.equal(layer.bias, bias_before)
    torch.testing.assert_close(layer.weight.detach(), weight_before * (1 - 0.05 * 0.5))


def test_decoupled_decay_follows_the_learning_rate_of_the_step() -> None:
    layer = network()
    before = layer.weight.detach().clone()
    optimizer = optimizer_of(layer, replace(RULE, weight_decay=0.5))

    optimizer.param_groups[0]["lr"] = 0.5
    layer(torch.zeros(1, 6, dtype=torch.float64)).sum().mul(0).backward()
    optimizer.step()

    torch.testing.assert_close(layer.weight.detach(), before * 0.75)


def test_nesterov_without_momentum_is_plain_sgd() -> None:
    assert_same(by(replace(RULE, name="nesterov", momentum=0.0)), by(RULE))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="no update rule is called 'lion'"):
        optimizer_of(network(), replace(RULE, name="lion"))


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"])
def test_l1_thresholds_the_weights_softly_after_the_step_of_any_rule(name: str) -> None:
    class Thresholded(torch.optim.SGD):
        """Takes another optimiser's step, then torch's own soft threshold."""

        def __init__(self, layer: nn.Linear, inner: torch.optim.Optimizer) -> None:
            super().__init__(layer.parameters(), lr=0.05)
            self.layer, self.inner = layer, inner

        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            self.inner.step()
            with torch.no_grad():
                self.layer.weight.copy_(softshrink(self.layer.weight, 0.05 * 0.4))

    rule = replace(RULE, name=name)

    expected = trained(lambda layer: Thresholded(layer, optimizer_of(layer, rule)))  # type: ignore[arg-type]

    assert_same(by(replace(rule, l1=0.4)), expected)


def test_l1_makes_weights_exactly_zero_and_leaves_biases_alone() -> None:
    strong = by(replace(RULE, l1=50.0))

    assert strong.weight.count_nonzero() == 0
    assert strong.bias.count_nonzero() == 4


@pytest.mark.parametrize("regulariser", ["l1", "l2", "weight_decay"])
def test_what_an_image_is_normalised_by_is_left_alone(regulariser: str) -> None:
    normalisation = nn.LayerNorm((1, 8, 8))
    layers = nn.Sequential(normalisation, nn.Flatten(), nn.Linear(64, 2))
    optimizer = optimizer_of(layers, replace(RULE, **{regulariser: 0.5}))  # type: ignore[arg-type]  # by name

    layers(torch.zeros(1, 1, 8, 8)).sum().mul(0).backward()
    optimizer.step()

    assert torch.equal(normalisation.weight, torch.ones(1, 8, 8))


def test_the_penalty_is_the_courses_and_its_gradient_is_what_l2_adds() -> None:
    weight = network().weight
    m, strength = 32, 0.3

    l2 = penalty([weight], l1=0.0, l2=strength / m)
    l1 = penalty([weight], l1=strength / (2 * m), l2=0.0)

    (gradient,) = torch.autograd.grad(l2, weight, retain_graph=True)
    torch.testing.assert_close(l2, strength / (2 * m) * torch.linalg.matrix_norm(weight).square())
    torch.testing.assert_close(gradient, strength / m * weight.detach())
    torch.testing.assert_close(l1, strength / (2 * m) * weight.abs().sum())


@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov", "rmsprop", "adam"])
def test_parameters_may_be_complex(name: str) -> None:
    target = torch.tensor([1 + 2j, -1j])
    layer = nn.ParameterList([nn.Parameter(torch.zeros(2, dtype=torch.complex64))])
    optimizer = optimizer_of(layer, replace(RULE, name=name))

    for _ in range(200):
        optimizer.zero_grad()
        (layer[0] - target).abs().square().sum().backward()
        optimizer.step()

    torch.testing.assert_close(layer[0].detach(), target, rtol=0, atol=0.1)
