from typing import Any

import pytest
import torch
from torch import nn

from trimtab.models.descriptions import Convolutional, Perceptron
from trimtab.models.parts import hidden_activations, weight_matrices
from workers.training.network import Dropout, Start, trainable
from workers.training.optimizer import UpdateRule, optimizer_of
from workers.training.randomness import Randomness

CPU = torch.device("cpu")
MLP = Perceptron(inputs=(64,), outputs=10, hidden_units=(128, 128), activation="relu", normalization="none")
CNN = Convolutional(
    inputs=(3, 8, 8),
    outputs=10,
    channels=(16, 32),
    kernel_size=3,
    pooling="max",
    residual=True,
    hidden_units=(64,),
    activation="relu",
    normalization="batch",
)
DROPPED = Start(dropout=(0.5, 0.5))


def build(description: Perceptron | Convolutional, start: Start | None = None, seed: int = 0) -> nn.Module:
    start = start or Start(dropout=nothing(description))
    return trainable(description, start, Randomness.from_seed(seed, device=CPU))


def nothing(description: Perceptron | Convolutional) -> tuple[float, ...]:
    """No dropout in any hidden layer."""
    return (0.0,) * len(description.hidden_units)


def changed(description: Perceptron | Convolutional, **changes: Any) -> Any:
    return description.model_copy(update=changes)


def deviations(network: nn.Module) -> list[float]:
    return [weight.std().item() for weight in weight_matrices(network).values()]


def examples(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(5, *shape, generator=torch.Generator().manual_seed(seed))


def dropouts(network: nn.Module) -> dict[str, float]:
    return {name: 1 - module.keep for name, module in network.named_modules() if isinstance(module, Dropout)}


def test_hidden_layers_are_activated_and_dropped_and_the_output_layer_is_neither() -> None:
    network = build(MLP, DROPPED)

    assert [*weight_matrices(network)] == ["hidden.0.weight", "hidden.1.weight", "output.weight"]
    assert [*hidden_activations(network)] == ["hidden.0.activation", "hidden.1.activation"]
    assert dropouts(network) == {"hidden.0.dropout": 0.5, "hidden.1.dropout": 0.5}


def test_only_what_has_a_share_is_dropped() -> None:
    network = build(MLP, Start(dropout=(0.0, 0.25), input_dropout=0.5))

    assert dropouts(network) == {"input_dropout": 0.5, "hidden.1.dropout": 0.25}


def test_a_convolutional_network_without_hidden_layers_drops_what_its_last_block_gives() -> None:
    network = build(changed(CNN, hidden_units=()), Start(dropout=(0.5,)))

    assert dropouts(network) == {"features_dropout": 0.5}


def test_without_hidden_layers_it_is_a_linear_model() -> None:
    network = build(changed(MLP, hidden_units=()))

    assert [*weight_matrices(network)] == ["output.weight"]
    assert network(torch.zeros(3, 64)).shape == (3, 10)


def test_auto_gives_each_layer_the_weights_that_suit_what_follows_it() -> None:
    found = deviations(build(changed(MLP, hidden_units=(1024, 1024))))

    assert found == pytest.approx([(2 / 64) ** 0.5, (2 / 1024) ** 0.5, (1 / 1024) ** 0.5], rel=0.05)


def test_auto_counts_the_inputs_of_a_convolution_by_its_kernel_and_takes_a_projection_for_linear() -> None:
    network = build(changed(CNN, inputs=(64, 8, 8), channels=(256, 512)))

    found = dict(zip(weight_matrices(network), deviations(network), strict=True))

    assert found == pytest.approx(
        {
            "blocks.0.convolution.weight": (2 / (64 * 9)) ** 0.5,
            "blocks.0.projection.weight": (1 / 64) ** 0.5,
            "blocks.1.convolution.weight": (2 / (256 * 9)) ** 0.5,
            "blocks.1.projection.weight": (1 / 256) ** 0.5,
            "hidden.0.weight": (2 / (512 * 4)) ** 0.5,
            "output.weight": (1 / 64) ** 0.5,
        },
        rel=0.05,
    )


@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
def test_activations_keep_their_scale_through_twenty_residual_blocks(normalization: str) -> None:
    deep = changed(CNN, channels=(32,) * 20, pooling="none", normalization=normalization, hidden_units=())
    network = build(deep).eval()
    moments: list[float] = []
    for name, module in network.named_modules():
        if name.endswith("activation"):
            module.register_forward_hook(lambda *heard: moments.append(heard[2].square().mean().item()))

    network(examples(*deep.inputs))

    # A block multiplies by 1 + 2/L at most, all by e^2 = 7.4; unscaled by 15 with layer normalisation, else by 10^6.
    assert len(moments) == 20
    assert 0.5 < moments[-1] / moments[0] < 8


def test_a_named_initialization_holds_for_every_layer() -> None:
    found = deviations(build(changed(MLP, hidden_units=(1024, 1024)), Start("xavier", dropout=nothing(MLP))))

    assert found == pytest.approx([(2 / 1088) ** 0.5, (2 / 2048) ** 0.5, (2 / 1034) ** 0.5], rel=0.05)


def test_the_gain_multiplies_the_first_weights() -> None:
    plain, tripled = build(MLP), build(MLP, Start(gain=3.0, dropout=nothing(MLP)))

    for one, three in zip(weight_matrices(plain).values(), weight_matrices(tripled).values(), strict=True):
        torch.testing.assert_close(3 * one, three)


def test_dropout_drops_its_share_and_keeps_the_expectation() -> None:
    dropout = Dropout(0.3, torch.Generator().manual_seed(0))

    dropped_NH = dropout(torch.ones(1000, 1000))

    # A million draws: the share is known to 0.0005 (one standard error).
    assert (dropped_NH == 0).float().mean().item() == pytest.approx(0.3, abs=0.003)
    assert dropped_NH.max().item() == pytest.approx(1 / 0.7)
    assert dropped_NH.mean().item() == pytest.approx(1, abs=0.004)


@pytest.mark.parametrize("description", [MLP, CNN], ids=["mlp", "cnn"])
def test_nothing_is_dropped_in_evaluation(description: Perceptron | Convolutional) -> None:
    shares = (0.5,) * len(description.hidden_units)
    network = build(description, Start(dropout=shares, input_dropout=0.5)).eval()
    x = examples(*description.inputs)

    kept = build(description).eval()

    assert torch.equal(network(x), kept(x))


def test_the_gradient_passes_only_through_units_that_stayed() -> None:
    dropout = Dropout(0.5, torch.Generator().manual_seed(0))
    a_NH = torch.ones(4, 8, requires_grad=True)

    dropped_NH = dropout(a_NH)
    dropped_NH.sum().backward()

    assert a_NH.grad is not None
    assert torch.equal(a_NH.grad, dropped_NH.detach())


@pytest.mark.parametrize("description", [MLP, CNN], ids=["mlp", "cnn"])
def test_the_seed_is_all_the_randomness_of_the_weights(description: Perceptron | Convolutional) -> None:
    x = examples(*description.inputs)
    before = torch.get_rng_state()

    first, again, other = (build(description, seed=seed).eval()(x) for seed in (1, 1, 2))

    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("normalization", ["batch", "layer"])
def test_what_normalises_and_biases_do_not_decay(normalization: str) -> None:
    network = build(changed(CNN, normalization=normalization))
    rule = UpdateRule("sgd", 0.1, 0.0, 0.9, 0.999, 1e-8, l2=0.5, weight_decay=0.0, l1=0.0)

    decayed, kept = optimizer_of(network, rule).param_groups

    names = {id(parameter): name for name, parameter in network.named_parameters()}
    assert {names[id(parameter)] for parameter in decayed["params"]} == {*weight_matrices(network)}
    assert {"blocks.0.normalization.weight", "output.bias"} <= {names[id(parameter)] for parameter in kept["params"]}
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.5, 0.0)
