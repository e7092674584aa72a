"""What is watched: against gradients by autograd and activations by hand."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from tests.training.runs import run
from trimtab.data import DataSpec
from trimtab.message import Params
from trimtab.models.parts import hidden_activations, weight_matrices
from workers.training.judge import read, zero_share
from workers.training.loop import Training
from workers.training.watch import ACTIVITY, GLANCE, Beginning, Gradients, watched, why_diverged

FINE = {"loss_sum": 1.0, "training_loss": 1.0, "validation_loss": 1.0, "gradient_norm": 1.0}
BEGINNING = Beginning(first_loss=2.0, gradient_norm=0.5)
WHOLE: Params = {"batch_size": 5000, "epochs": 2, "hidden_layers": 2, "hidden_units": 16, "optimizer": "sgd"}


def network() -> nn.Sequential:
    layers = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 3))
    generator = torch.Generator().manual_seed(0)
    for parameter in layers.parameters():
        nn.init.normal_(parameter, generator=generator)
    return layers


def test_the_norms_of_an_epoch_are_those_of_its_first_batch() -> None:
    training = run(WHOLE)  # One batch is all.
    assert isinstance(training, Training)
    data, epochs = training._data.train, training.epochs()
    next(epochs)
    weights = list(weight_matrices(training._network).values())
    gradients = torch.autograd.grad(cross_entropy(training._network(data.x_ND), data.y_N), weights)

    metrics = next(epochs).metrics

    norms = [gradient.norm().item() for gradient in gradients]
    assert metrics["first_gradient_norm"] == pytest.approx(norms[0], rel=1e-4)
    assert metrics["last_gradient_norm"] == pytest.approx(norms[-1], rel=1e-4)
    assert metrics["gradient_norm"] == pytest.approx(math.hypot(*norms), rel=1e-4)


def test_in_the_first_epoch_the_median_of_three_batches_counts_and_later_the_first_batch() -> None:
    layer = nn.Linear(1, 1, bias=False)
    gradients = Gradients(layer)

    def looked(step: int, norms: list[float]) -> float:
        for batch, norm in enumerate(norms):
            layer.weight.grad = torch.full((1, 1), norm)
            gradients.look(step=step, batch=batch)
        return gradients.figures(read(gradients.scalars()))["gradient_norm"]

    assert looked(1, [5.0, 9.0, 1.0, 100.0]) == 5.0
    assert looked(2, [7.0, 9.0, 1.0]) == 7.0


def test_a_weight_that_the_loss_does_not_depend_on_has_no_gradient() -> None:
    unused, used = nn.Linear(1, 1), nn.Linear(1, 1)
    used(torch.ones(1, 1)).sum().backward()
    gradients = Gradients(nn.ModuleList([unused, used]))

    gradients.look(step=1, batch=0)

    figures = gradients.figures(read(gradients.scalars()))
    assert figures == {"gradient_norm": 1.0, "first_gradient_norm": 0.0, "last_gradient_norm": 1.0}


def test_the_first_layer_is_the_first_matrix_and_nothing_that_normalises_before_it() -> None:
    layers = nn.Sequential(nn.LayerNorm((1, 4)), nn.Linear(4, 3), nn.Flatten(), nn.Linear(3, 2))
    layers(torch.ones(5, 1, 4).cumsum(2)).square().sum().backward()
    gradients = Gradients(layers)

    gradients.look(step=1, batch=0)

    first = layers.get_parameter("1.weight").grad
    assert first is not None
    figures = gradients.figures(read(gradients.scalars()))
    assert figures["first_gradient_norm"] == first.norm().item() > 0


def test_of_three_matrices_or_more_the_smallest_and_the_largest_gradient_are_told_with_their_numbers() -> None:
    first, branch, last = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)
    branch.bias.data.fill_(-1e3)  # It dies: what is learned goes around it.
    hidden_NH = first(torch.ones(5, 4))
    last(hidden_NH + branch(hidden_NH).relu()).square().sum().backward()
    gradients = Gradients(nn.ModuleList([first, branch, last]))

    gradients.look(step=1, batch=0)

    figures = gradients.figures(read(gradients.scalars()))
    ends = {1.0: figures["first_gradient_norm"], 3.0: figures["last_gradient_norm"]}
    assert (figures["smallest_gradient_norm"], figures["smallest_gradient_layer"]) == (0.0, 2.0)
    assert ends[figures["largest_gradient_layer"]] == figures["largest_gradient_norm"] == max(ends.values()) > 0


def test_dead_units_are_those_that_no_example_activates_in_the_worst_layer() -> None:
    layers, x_ND = network(), torch.randn(50, 4, generator=torch.Generator().manual_seed(1))
    dict(layers.named_parameters())["2.bias"].data[:3] = -1e3

    with watched(layers, examples=50) as activity, torch.inference_mode():
        layers(x_ND)

    first_NH = layers[1](layers[0](x_ND))
    second_NH = layers[3](layers[2](first_NH))
    figures = activity.figures(read(activity.scalars()))
    assert figures["dead_units"] == ((second_NH == 0).all(dim=0)).double().mean().item() >= 0.5
    assert figures["first_activation_scale"] == pytest.approx(first_NH[::5].square().mean().sqrt().item(), rel=1e-5)
    assert figures["last_activation_scale"] == pytest.approx(second_NH[::5].square().mean().sqrt().item(), rel=1e-5)


def test_of_three_hidden_layers_or_more_the_smallest_and_the_largest_scale_are_told_with_their_numbers() -> None:
    layers = nn.Sequential(nn.ReLU(), nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU())
    layers.get_parameter("1.weight").data.mul_(100)
    layers.get_parameter("3.weight").data.mul_(1e-6)
    layers.get_parameter("3.bias").data.fill_(1e-3)

    with watched(layers, examples=3) as activity, torch.inference_mode():
        layers(torch.ones(3, 4))

    figures = activity.figures(read(activity.scalars()))
    middle_NH = layers[2](layers[1](torch.ones(3, 4)))
    assert figures["largest_activation_layer"] == 2
    assert figures["largest_activation_scale"] == pytest.approx(middle_NH[0].square().mean().sqrt().item(), rel=1e-5)
    assert figures["smallest_activation_layer"] == 3
    assert figures["smallest_activation_scale"] == figures["last_activation_scale"]


def test_a_unit_that_is_active_in_one_chunk_alone_is_alive() -> None:
    linear = nn.Linear(1, 2, bias=False)
    linear.weight.data = torch.tensor([[1.0], [-1.0]])
    layers = nn.Sequential(linear, nn.ReLU())

    with watched(layers, examples=20) as activity:
        layers(torch.ones(10, 1))
        layers(-torch.ones(10, 1))

    assert activity.figures(read(activity.scalars()))["dead_units"] == 0.0


def test_a_channel_is_the_unit_of_an_image() -> None:
    layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    dict(layers.named_parameters())["0.bias"].data[0] = -1e3

    with watched(layers, examples=5) as activity:
        layers(torch.ones(5, 1, 8, 8))

    channels = layers(torch.ones(5, 1, 8, 8)).amax(dim=(0, 2, 3))
    assert activity.figures(read(activity.scalars()))["dead_units"] == (channels == 0).double().mean().item() >= 0.25


class Routed(nn.Module):
    """A network that has an activation of a number that is learned, and an expert that no example is sent to."""

    def __init__(self) -> None:
        super().__init__()
        self.scale, self.positive = nn.Parameter(torch.zeros(())), nn.Softplus()
        self.experts = nn.ModuleList(nn.Sequential(nn.Linear(3, 4), nn.ReLU()) for _ in range(2))

    def forward(self, x_ND: Tensor) -> Tensor:
        outputs = [expert(x_ND[number * len(x_ND) :]) for number, expert in enumerate(self.experts)]
        scaled: Tensor = self.positive(self.scale) * torch.cat(outputs)
        return scaled


def test_what_has_no_units_or_sees_no_example_is_not_looked_at() -> None:
    layers = Routed()

    with watched(layers, examples=6) as activity:
        layers(torch.ones(6, 3))

    first_NH = layers.experts[0](torch.ones(6, 3))
    figures = activity.figures(read(activity.scalars()))
    assert figures["dead_units"] == (first_NH == 0).all(dim=0).double().mean().item()
    assert figures["last_activation_scale"] == figures["first_activation_scale"]
    assert figures["first_activation_scale"] == pytest.approx(first_NH.square().mean().sqrt().item(), rel=1e-5)


def test_nothing_is_left_in_a_network_that_was_watched() -> None:
    layers = network()

    with watched(layers, examples=1):
        pass

    assert not any(module._forward_hooks for module in layers.modules())


def test_a_network_without_hidden_layers_has_no_dead_units_and_no_activations() -> None:
    linear = run({"hidden_layers": 0, "epochs": 1})

    metrics = next(linear.epochs()).metrics

    assert metrics["dead_units"] == 0.0
    assert metrics["first_gradient_norm"] == metrics["last_gradient_norm"] == metrics["gradient_norm"]
    assert "first_activation_scale" not in metrics
    assert "untrained_activation_scale" not in linear.result.metrics


def test_of_short_epochs_some_are_looked_at_and_the_others_have_what_was_seen_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params: Params = {"epochs": 9, "batch_size": 64, "hidden_layers": 3}
    digits = DataSpec(dataset="digits")
    metrics = [epoch.metrics for epoch in run(params, digits).epochs()]
    monkeypatch.setattr("workers.training.loop.STEPS", 1)
    looked_at = [epoch.metrics for epoch in run(params, digits).epochs()]

    # 17 steps each, of 100 that a look in each would need.
    for name in ACTIVITY:
        seen = [each[name] for each in looked_at]
        assert [each[name] for each in metrics] == [seen[step - 1] for step in (1, 1, 1, 1, 1, 6, 6, 6, 9)]
    assert len({each["last_activation_scale"] for each in looked_at}) == 9


def test_a_network_whose_units_died_says_so() -> None:
    # So large a step that no example opens most rectifiers any more.
    metrics = [epoch.metrics for epoch in run({"optimizer": "adam", "learning_rate": 0.5, "epochs": 3}).epochs()]

    assert metrics[-1]["dead_units"] > 0.5


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({}, None),
        ({"gradient_norm": 600.0}, None),  # the loss is below its first value
        ({"gradient_norm": 600.0, "training_loss": 2.1}, "the gradient is 1200 times what it was at first"),
        ({"gradient_norm": 499.0, "training_loss": 2.1}, None),
        ({"gradient_norm": math.inf}, "the gradient is not finite"),
        ({"loss_sum": math.nan}, "the loss is not finite"),
        ({"validation_loss": math.inf}, "the loss is not finite"),
    ],
)
def test_a_training_has_diverged_when_its_gradient_explodes_above_its_first_loss(
    figures: dict[str, float], said: str | None
) -> None:
    reason = why_diverged({**FINE, **figures}, BEGINNING)

    assert (reason is None) is (said is None)
    assert (said or "") in (reason or "")


@pytest.mark.parametrize("dataset", ["digits", "wine", "breast_cancer"])
def test_the_first_loss_of_a_classifier_is_about_the_logarithm_of_its_classes(dataset: str) -> None:
    training = run({"epochs": 1}, DataSpec(dataset=dataset))

    list(training.epochs())

    result = training.result.metrics
    assert 0.5 < result["first_loss"] / math.log(result["classes"]) < 2


@pytest.mark.parametrize(("layers", "gain"), [(1, 0.25), (3, 0.25), (3, 4.0)])
def test_the_untrained_scale_of_rectifiers_is_that_of_the_features_times_the_gain_of_each_layer(
    layers: int, gain: float
) -> None:
    params: Params = {"epochs": 1, "hidden_layers": layers, "hidden_units": 256, "initialization_gain": gain}
    wine = DataSpec(dataset="wine")
    right = run({**params, "initialization_gain": 1.0}, wine)
    other = run(params, wine)

    for training in (right, other):
        list(training.epochs())

    scale = right.result.metrics["untrained_activation_scale"]
    assert 0.5 < scale < 2  # By He's variance.
    assert other.result.metrics["untrained_activation_scale"] == pytest.approx(scale * gain**layers, rel=1e-5)


def test_the_untrained_scale_is_that_of_the_last_hidden_layer_by_hand() -> None:
    training = run({"epochs": 1, "hidden_layers": 2, "activation": "tanh", "normalization": "layer"})
    assert isinstance(training, Training)
    x_ND = training._data.train.x_ND
    glance_ND = x_ND[:: math.ceil(len(x_ND) / GLANCE)]
    last = [*hidden_activations(training._network).values()][-1]
    seen: list[Tensor] = []
    with torch.inference_mode(), last.register_forward_hook(lambda _module, _inputs, a: seen.append(a)):
        training._network.eval()(glance_ND)

    list(training.epochs())

    expected = seen[0][::5].square().mean().sqrt().item()
    assert training.result.metrics["untrained_activation_scale"] == pytest.approx(expected, rel=1e-5)
    assert 0.3 < expected < 1


def test_the_share_of_zero_weights_is_told_where_l1_makes_them() -> None:
    sparse = run({"l1": 0.01, "epochs": 20, "optimizer": "sgd", "learning_rate": 0.1})
    assert isinstance(sparse, Training)

    *_, last = sparse.epochs()

    weights = torch.cat([weight.detach().flatten() for weight in weight_matrices(sparse._network).values()])
    assert last.metrics["zero_weights"] == (weights == 0).double().mean().item() > 0.1
    assert "zero_weights" not in next(run({}).epochs()).metrics


def test_of_no_weight_matrices_none_are_zero() -> None:
    assert zero_share(nn.BatchNorm1d(3)).item() == 0.0
