"""The gradient check: right code passes, whatever it is made of; planted faults are caught and named."""

import time
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck
from torch.autograd.gradcheck import GradcheckError
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from tests.training.planted import FAULTS, RIGHT, Planted
from trimtab.checks import Rating
from trimtab.data import Problem
from trimtab.models.descriptions import Convolutional, Perceptron
from workers.training.errors import Uncheckable
from workers.training.gradient_check import check_gradients
from workers.training.losses import loss_of
from workers.training.network import Start, trainable
from workers.training.objective import Penalty, still
from workers.training.randomness import Randomness

# N examples, D features, C classes.

CPU = torch.device("cpu")
ACTIVATIONS = ("relu", "leaky_relu", "gelu", "tanh", "sigmoid")
NORMALIZATIONS = ("none", "batch", "layer")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(7)


def batch(*shape: int, classes: int = 3) -> tuple[Tensor, Tensor]:
    """Return examples of a shape and their classes."""
    return torch.randn(shape), torch.randint(0, classes, shape[:1])


def perceptron(**changes: Any) -> nn.Module:
    shape = {"inputs": (4,), "outputs": 3, "hidden_units": (8, 8), "activation": "tanh", "normalization": "none"}
    description = Perceptron.model_validate(shape | changes)
    start = Start(dropout=(0.0,) * len(description.hidden_units))
    return trainable(description, start, Randomness.from_seed(0, device=CPU))


def convolutional(**changes: Any) -> nn.Module:
    shape = {"inputs": (1, 6, 6), "outputs": 3, "channels": (3, 4), "kernel_size": 3, "residual": True}
    rest = {"pooling": "max", "hidden_units": (5,), "activation": "relu", "normalization": "none"}
    description = Convolutional.model_validate(shape | rest | changes)
    return trainable(description, Start(dropout=(0.0,)), Randomness.from_seed(0, device=CPU))


def agrees_with_torch(network: nn.Module, x: Tensor, y: Tensor) -> bool:
    """Return whether torch's own check finds backward right."""
    parameters = {name: parameter.detach().double().requires_grad_() for name, parameter in network.named_parameters()}

    def loss(*tensors: Tensor) -> Tensor:
        return cross_entropy(functional_call(network, dict(zip(parameters, tensors, strict=True)), (x.double(),)), y)

    try:
        return gradcheck(loss, tuple(parameters.values()))
    except GradcheckError:
        return False


# -- right code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("activation", "normalization"), list(product(ACTIVATIONS, NORMALIZATIONS)))
def test_every_activation_and_normalization_is_right(activation: str, normalization: str) -> None:
    network = perceptron(activation=activation, normalization=normalization)

    found = check_gradients(network, cross_entropy, *batch(8, 4), penalty=Penalty(l1=1e-3, l2=1e-2))

    assert found.figure < 1e-7
    assert found.rating is Rating.RIGHT
    assert [tensor.name for tensor in found.tensors] == [name for name, _ in network.named_parameters()]


@pytest.mark.parametrize(("pooling", "normalization"), list(product(("max", "average", "none"), NORMALIZATIONS)))
def test_every_convolutional_network_is_right(pooling: str, normalization: str) -> None:
    network = convolutional(pooling=pooling, normalization=normalization)

    found = check_gradients(network, cross_entropy, *batch(6, 1, 6, 6), most=150)

    assert found.figure < 1e-7
    assert found.rating is Rating.RIGHT


@pytest.mark.parametrize("name", ["squared", "absolute", "huber"])
def test_every_loss_of_numbers_is_right(name: str) -> None:
    x, _ = batch(8, 4)

    found = check_gradients(perceptron(outputs=1), loss_of(name, Problem.REGRESSION), x, torch.randn(8))

    assert found.rating is Rating.RIGHT


def test_the_regularisation_is_part_of_the_loss() -> None:
    network, (x, y) = perceptron(), batch(8, 4)

    plain, penalised = (
        check_gradients(network, cross_entropy, x, y, penalty=Penalty(l1=l1, l2=l2), most=9)
        for l1, l2 in ((0.0, 0.0), (0.1, 0.2))
    )

    weights = dict(network.named_parameters())
    for before, after in zip(plain.tensors, penalised.tensors, strict=True):
        entries = {entry.index: entry.numerical for entry in before.worst}
        for entry in after.worst:
            if entry.index in entries:
                weight = weights[before.name].detach()[entry.index].double()
                added = 0.1 * weight.sign() + 0.2 * weight if "weight" in before.name else 0.0
                assert entry.numerical == pytest.approx(entries[entry.index] + float(added), abs=1e-8)


def test_dropout_is_off_and_the_check_leaves_no_trace() -> None:
    randomness = Randomness.from_seed(0, device=CPU)
    description = Perceptron(inputs=(4,), outputs=3, hidden_units=(8,), activation="relu", normalization="batch")
    network = trainable(description, Start(dropout=(0.5,), input_dropout=0.5), randomness)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    drawn = randomness.dropout.get_state()

    found = check_gradients(network, cross_entropy, *batch(8, 4))

    assert found.rating is Rating.RIGHT
    assert network.training
    assert all(module.training for module in network.modules())
    assert torch.equal(randomness.dropout.get_state(), drawn)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_batch_normalization_goes_by_the_batch_and_not_by_its_running_figures() -> None:
    network, (x, _) = perceptron(normalization="batch", hidden_units=(8,)), batch(8, 4)

    with still(network), torch.no_grad():
        seen = network(x)

    network.train()
    assert torch.equal(seen, network(x))
    network.eval()
    assert not torch.equal(seen, network(x))


# -- wrong code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_and_its_tensors_are_named(fault: str) -> None:
    network, (x, y) = Planted(FAULTS[fault]), batch(8, 4)

    found = check_gradients(network, cross_entropy, x, y)

    ratings = {tensor.name: tensor.rating for tensor in found.tensors}
    assert found.rating is Rating.WRONG
    assert ratings.pop("first.weight") is ratings.pop("first.bias") is Rating.WRONG
    assert set(ratings.values()) == {Rating.RIGHT}
    assert found.worst.name in {"first.weight", "first.bias"}
    assert not agrees_with_torch(network, x, y)


def test_the_worst_entries_say_both_slopes() -> None:
    found = check_gradients(Planted(FAULTS["a factor"]), cross_entropy, *batch(8, 4))

    for entry in found.worst.worst:
        assert entry.backward == pytest.approx(1.01 * entry.numerical, rel=1e-6)


def test_the_entries_of_one_wrong_unit_are_named() -> None:
    found = check_gradients(Planted(FAULTS["one entry"]), cross_entropy, *batch(8, 4))

    (bias,) = (tensor for tensor in found.tensors if tensor.name == "first.bias")
    assert bias.worst[0].index == (2,)


def test_right_code_of_a_users_own_is_right_for_both_checks() -> None:
    network, (x, y) = Planted(RIGHT), batch(8, 4)

    found = check_gradients(network, cross_entropy, x, y)

    assert found.rating is Rating.RIGHT
    assert agrees_with_torch(network, x, y)


def test_a_few_wrong_parameters_show_among_many_right_ones() -> None:
    class Detached(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's name
            return nn.functional.linear(input, self.weight, self.bias.detach())

    network = nn.Sequential(nn.Linear(40, 40), nn.Tanh(), Detached(40, 3))

    found = check_gradients(network, cross_entropy, *batch(8, 40), most=600)

    assert found.rating is Rating.WRONG
    assert found.worst.name == "2.bias"


# -- kinks ----------------------------------------------------------------------------------------------


def test_points_at_a_kink_are_left_out_and_counted() -> None:
    first, (x, y) = nn.Linear(4, 3), batch(8, 4)
    with torch.no_grad():
        # The second unit is zero at the first example, but for a share of epsilon.
        first.bias[1] -= first(x)[0, 1] - 3e-6
    kinked = {(1, feature) for feature in range(4) if abs(float(x[0, feature])) > 0.4}

    found = check_gradients(nn.Sequential(first, nn.ReLU(), nn.Linear(3, 3)), cross_entropy, x, y)

    weight, bias, *others = found.tensors
    assert found.rating is Rating.RIGHT
    assert weight.kinks >= len(kinked)
    assert (bias.kinks, bias.checked) == (1, 2)
    assert sum(tensor.kinks for tensor in others) == 0


@pytest.mark.parametrize("share", [0.0, 0.1, 1 / 3, 0.5, 0.9])
def test_a_kink_is_seen_wherever_it_is_between_the_points(share: float) -> None:
    class Bent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.slope = nn.Parameter(torch.tensor([0.5, -0.25]).double())

        def forward(self, x: Tensor) -> Tensor:
            kink = torch.tensor([0.5 + share * 1e-5, 7.0], dtype=torch.float64)
            return (self.slope - kink).abs().sum() + self.slope.exp().sum() + x.sum()

    found = check_gradients(Bent(), lambda outputs, _: outputs, *batch(1, 1))

    (slope,) = found.tensors
    assert (slope.kinks, slope.checked) == (1, 1)
    assert found.rating is Rating.RIGHT


def test_a_smooth_loss_has_no_kinks_however_curved() -> None:
    class Curved(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.at = nn.Parameter(torch.linspace(-2, 2, 50).double())

        def forward(self, x: Tensor) -> Tensor:
            return (10 * self.at).tanh().sum() + (3 * self.at).sin().sum() + x.sum()

    found = check_gradients(Curved(), lambda outputs, _: outputs, *batch(1, 1))

    assert [tensor.kinks for tensor in found.tensors] == [0]
    assert found.rating is Rating.RIGHT


def test_a_bias_that_does_nothing_is_right() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))

    found = check_gradients(network, cross_entropy, *batch(8, 4))

    assert found.rating is Rating.RIGHT


# -- how much, and what cannot be checked ---------------------------------------------------------------


def test_of_a_large_network_a_seeded_sample_of_each_tensor_is_looked_at() -> None:
    network, (x, y) = perceptron(inputs=(64,), hidden_units=(64, 64)), batch(4, 64)

    first, again, other = (check_gradients(network, cross_entropy, x, y, most=300, seed=seed) for seed in (0, 0, 1))

    assert all(tensor.checked >= min(tensor.size, 300 // 6) for tensor in first.tensors)
    assert sum(tensor.checked for tensor in first.tensors) == 300
    assert first == again != other


def test_the_default_perceptron_is_checked_in_seconds() -> None:
    network = perceptron(inputs=(64,), outputs=10, hidden_units=(128,), activation="relu")
    began = time.process_time()

    found = check_gradients(network, cross_entropy, *batch(32, 64, classes=10))

    assert sum(tensor.checked + tensor.kinks for tensor in found.tensors) == 5000
    assert time.process_time() - began < 20


def test_a_network_that_draws_by_itself_cannot_be_checked() -> None:
    class Noisy(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's name
            return super().forward(input) + torch.randn(3)

    with pytest.raises(Uncheckable, match="not the same twice"):
        check_gradients(Noisy(4, 3), cross_entropy, *batch(8, 4))


def test_a_network_that_rounds_by_itself_cannot_be_checked() -> None:
    class Rounding(nn.Linear):
        def forward(self, input: Tensor) -> Tensor:  # noqa: A002  # torch's name
            return super().forward(input).float().double()

    with pytest.raises(Uncheckable, match=r"rounds float64 to torch\.float32"):
        check_gradients(Rounding(4, 3), cross_entropy, *batch(8, 4))


def test_a_loss_that_is_not_finite_cannot_be_checked() -> None:
    x, y = batch(8, 4)

    with pytest.raises(Uncheckable, match="not finite"):
        check_gradients(perceptron(), cross_entropy, x * torch.inf, y)


def test_a_network_without_parameters_cannot_be_checked() -> None:
    with pytest.raises(Uncheckable, match="no parameter"):
        check_gradients(nn.Identity(), cross_entropy, *batch(8, 3))


@pytest.mark.parametrize(
    ("figure", "rating"),
    [(0.0, "right"), (9.9e-8, "right"), (1e-7, "look"), (9e-6, "look"), (1e-5, "suspicious"), (1e-3, "wrong")],
)
def test_a_figure_is_rated_by_its_size(figure: float, rating: str) -> None:
    assert Rating.of(figure) == rating
