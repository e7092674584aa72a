"""The networks of the wheel against torch's own functions, put together by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn
from torch.nn import functional

from trimtab.models.descriptions import Convolutional, Description, Perceptron
from trimtab.models.layers import BatchNormalization
from trimtab.models.networks import network_of
from trimtab.models.parts import hidden_activations, weight_matrices

MLP = Perceptron(inputs=(2, 3, 3), outputs=4, hidden_units=(6, 5), activation="tanh", normalization="none")
CNN = Convolutional(
    inputs=(2, 6, 7),
    outputs=4,
    channels=(3, 5, 5),
    kernel_size=3,
    pooling="max",
    residual=False,
    hidden_units=(6,),
    activation="relu",
    normalization="none",
)
NORMALIZATIONS = ["none", "batch", "layer"]


def drawn(description: Perceptron | Convolutional) -> nn.Module:
    """The network with weights of some seed, normalisations and biases too."""
    network = network_of(description)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0.0, 0.5, generator=generator)
    return network


def examples(description: Perceptron | Convolutional, count: int = 7) -> Tensor:
    return torch.randn(count, *description.inputs, generator=torch.Generator().manual_seed(1))


def normalised(z: Tensor, name: str, weights: dict[str, Tensor], prefix: str) -> Tensor:
    if name == "none":
        return z
    scale, shift = weights[f"{prefix}.normalization.weight"], weights[f"{prefix}.normalization.bias"]
    if name == "batch":
        return functional.batch_norm(z, None, None, scale, shift, training=True)
    if z.ndim == 2:
        return functional.layer_norm(z, z.shape[1:], scale, shift)
    return functional.group_norm(z, 1, scale, shift)


def by_hand(description: Perceptron | Convolutional, weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """The formulas, on weights by name."""
    activate: Callable[[Tensor], Tensor] = getattr(torch, description.activation)
    a = x
    if isinstance(description, Convolutional):
        for number in range(len(description.channels)):
            prefix = f"blocks.{number}"
            kernel = weights[f"{prefix}.convolution.weight"]
            z = functional.conv2d(a, kernel, weights.get(f"{prefix}.convolution.bias"), padding=kernel.shape[2] // 2)
            z = normalised(z, description.normalization, weights, prefix)
            if description.residual:
                projection = weights.get(f"{prefix}.projection.weight")
                z = z + (a if projection is None else functional.conv2d(a, projection))
            a = activate(z)
            if description.pooling != "none" and min(a.shape[2:]) > 1:
                a = functional.max_pool2d(a, 2) if description.pooling == "max" else functional.avg_pool2d(a, 2)
    a = a.flatten(1)
    for number in range(len(description.hidden_units)):
        prefix = f"hidden.{number}"
        z = functional.linear(a, weights[f"{prefix}.weight"], weights.get(f"{prefix}.bias"))
        a = activate(normalised(z, description.normalization, weights, prefix))
    return functional.linear(a, weights["output.weight"], weights["output.bias"])


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_a_perceptron_is_the_formula(normalization: Any) -> None:
    description = MLP.model_copy(update={"normalization": normalization})
    network, x = drawn(description), examples(description)

    outputs_NK = network(x)

    torch.testing.assert_close(outputs_NK, by_hand(description, dict(network.named_parameters()), x))


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("pooling", ["max", "average", "none"])
@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 5])
def test_a_convolutional_network_is_the_formula(
    normalization: Any, pooling: Any, residual: Any, kernel_size: Any
) -> None:
    changes = {"normalization": normalization, "pooling": pooling, "residual": residual, "kernel_size": kernel_size}
    description = CNN.model_copy(update=changes)
    network, x = drawn(description), examples(description)

    outputs_NK = network(x)

    torch.testing.assert_close(outputs_NK, by_hand(description, dict(network.named_parameters()), x))


def test_a_side_of_one_is_not_pooled() -> None:
    description = CNN.model_copy(update={"inputs": (1, 4, 4), "channels": (2, 2, 2, 2)})

    network = network_of(description)

    assert sum(isinstance(module, nn.MaxPool2d) for module in network.modules()) == 2
    assert network(examples(description)).shape == (7, 4)


def test_weights_are_zero_until_they_are_drawn_and_nothing_random_is_used() -> None:
    before = torch.get_rng_state()

    networks = [network_of(MLP), network_of(CNN.model_copy(update={"normalization": "batch"}))]

    assert all(not weight.any() for network in networks for weight in weight_matrices(network).values())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("description", [MLP, CNN], ids=["mlp", "cnn"])
def test_a_network_is_rebuilt_from_json_and_its_weights_to_the_last_bit(
    description: Perceptron | Convolutional,
) -> None:
    network = drawn(description)

    read: Perceptron | Convolutional = TypeAdapter[Any](Description).validate_json(description.model_dump_json())
    rebuilt = network_of(read)
    rebuilt.load_state_dict(network.state_dict())

    x = examples(description)
    assert torch.equal(rebuilt.eval()(x), network.eval()(x))


@pytest.mark.parametrize(
    "wrong", [{"kind": "rnn"}, {"outputs": 0}, {"hidden_units": [2**31]}, {"activation": "step"}, {"weights": "x"}]
)
def test_a_description_of_no_network_is_refused(wrong: dict[str, Any]) -> None:
    given = {**MLP.model_dump(), **wrong}

    with pytest.raises(ValidationError):
        TypeAdapter[Any](Description).validate_python(given)


def test_a_batch_of_one_is_normalised_by_the_running_figures_and_leaves_them() -> None:
    layer = BatchNormalization(3)
    layer(examples(MLP.model_copy(update={"inputs": (3,)})))
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    one_NH = torch.ones(1, 3)

    normalised_NH = layer(one_NH)

    assert torch.equal(normalised_NH, layer.eval()(one_NH))
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())


def test_parts_of_a_users_network_are_found_by_torchs_names() -> None:
    network = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 4), nn.ReLU(), nn.LayerNorm(4), nn.Linear(4, 2))
    network[1].weight.requires_grad_(False)

    assert [*weight_matrices(network)] == ["0.weight", "4.weight"]
    assert [*hidden_activations(network)] == ["2"]


@pytest.mark.parametrize(
    "normalisation",
    [
        nn.LayerNorm((1, 8, 8)),
        nn.RMSNorm((8, 8)),
        nn.Sequential(nn.LayerNorm((8, 8))),
        nn.utils.parametrize.register_parametrization(nn.LayerNorm((8, 8)), "weight", nn.Softplus()),
    ],
    ids=["layer", "root mean square", "inner", "parametrised"],
)
def test_what_normalises_is_no_weight_however_many_dimensions_it_has(normalisation: nn.Module) -> None:
    network = nn.Sequential(normalisation, nn.Flatten(), nn.Linear(64, 2))

    assert [*weight_matrices(network)] == ["2.weight"]


def test_biases_are_no_weights_however_many_dimensions_they_have() -> None:
    attention = nn.MultiheadAttention(8, 2, add_bias_kv=True)
    attention.register_parameter("bias", nn.Parameter(torch.zeros(1, 1, 8)))

    assert [*weight_matrices(attention)] == ["in_proj_weight", "out_proj.weight"]
