from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tests.training.test_optimizer import RULE
from workers.training.optimizer import optimizer_of
from workers.training.stepper import Stepper

STEPS = 20


class Half(nn.Module):
    """A network of which only one half gets a gradient in every other step."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.always, self.sometimes = nn.Linear(6, 4), nn.Linear(6, 4)
        self.count = 0

    def forward(self, x_ND: Tensor) -> Tensor:
        self.count += 1
        z_NC: Tensor = self.always(x_ND)
        return z_NC + self.sometimes(x_ND) if self.count % 2 else z_NC


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 4))


def stepped(
    layers: nn.Module, changes: dict[str, object], *, is_own: bool, restored_at: int | None = None
) -> nn.Module:
    """Train with a stepper, or by the optimiser's own step; in the midst of it load the optimiser's own state."""
    optimizer = optimizer_of(layers, replace(RULE, **changes))  # type: ignore[arg-type]  # by name
    stepper = Stepper(optimizer)
    x_ND = torch.randn(32, 6, generator=torch.Generator().manual_seed(1))
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 0.05 / (step + 1)
        stepper.clear()
        cross_entropy(layers(x_ND), torch.arange(32) % 4).backward()  # type: ignore[no-untyped-call]
        if step == restored_at:
            optimizer.load_state_dict(optimizer.state_dict())
            stepper.restored()
        optimizer.step() if is_own else stepper.step()
    return layers


def assert_equal(first: nn.Module, second: nn.Module) -> None:
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "adam"},
        {"name": "adamw", "weight_decay": 0.1},
        {"name": "adam", "l1": 0.1},
        {"name": "adam", "l2": 0.1},
        {"name": "momentum"},
        {"name": "rmsprop"},
    ],
    ids=str,
)
def test_a_step_is_bit_for_bit_the_optimisers_own(changes: dict[str, object]) -> None:
    expected = stepped(network(), changes, is_own=True)

    assert_equal(stepped(network(), changes, is_own=False), expected)


RULES = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]


def biasless() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8, bias=False), nn.ReLU(), nn.Linear(8, 4, bias=False))


@pytest.mark.parametrize("name", RULES)
def test_a_network_of_weights_alone_takes_the_optimisers_own_steps_under_l2(name: str) -> None:
    layers, changes = biasless(), {"name": name, "l2": 0.1}
    expected = stepped(biasless(), changes, is_own=True)

    assert_equal(stepped(layers, changes, is_own=False), expected)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("regulariser", ["l1", "l2", "weight_decay"])
def test_a_network_without_weight_matrices_is_left_unregularised(name: str, regulariser: str) -> None:
    expected = stepped(nn.BatchNorm1d(6), {"name": name}, is_own=True)

    assert_equal(stepped(nn.BatchNorm1d(6), {"name": name, regulariser: 0.1}, is_own=False), expected)


def test_a_step_is_the_optimisers_own_after_its_state_was_loaded() -> None:
    expected = stepped(network(), {"name": "adam"}, is_own=True)

    assert_equal(stepped(network(), {"name": "adam"}, is_own=False, restored_at=7), expected)


def test_a_weight_without_a_gradient_stays_as_the_optimiser_leaves_it() -> None:
    expected = stepped(Half(), {"name": "adam"}, is_own=True)

    assert_equal(stepped(Half(), {"name": "adam"}, is_own=False), expected)


def test_cleared_gradients_are_gone() -> None:
    layers = network()
    stepper = Stepper(optimizer_of(layers, replace(RULE, name="adam")))
    layers(torch.ones(1, 6)).sum().backward()

    stepper.clear()

    assert [parameter.grad for parameter in layers.parameters()] == [None] * 4


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex64])
def test_parameters_of_several_types_are_left_to_the_optimisers_own_step(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = nn.ParameterList([nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3, dtype=dtype))])
    monkeypatch.setattr("workers.training.stepper._step", None)
    optimizer = optimizer_of(layers, replace(RULE, name="adam"))
    stepper = Stepper(optimizer)

    for _ in range(3):
        stepper.clear()
        sum(each.abs().square().sum() for each in layers).backward()
        stepper.step()

    assert all(bool((each.abs() < 1).all()) for each in layers)
