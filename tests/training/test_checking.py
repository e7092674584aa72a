"""The gradient check in place of a training, and before the first one of a user's own task."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.training.planted import FAULTS, RIGHT, Planted
from tests.training.runs import CPU, run
from tests.unit.samples import LEASE
from trimtab.data import DataSpec, SplitSpec
from trimtab.message import Params
from trimtab.protocol import Report
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from workers.messages import CheckpointFile
from workers.session import order
from workers.tasks import begin
from workers.tasks.checking import Effort, checked, metrics
from workers.training.data import Data, prepare
from workers.training.errors import CheckpointForeign, GradientWrong
from workers.training.gradient_figures import GradientCheck, TensorCheck
from workers.training.steps import Epoch, Steps

SMALL: Params = {"hidden_units": 8, "batch_size": 32, "epochs": 1}
IRIS = DataSpec(dataset="iris")
OWN = "mine:build"


def own(network: type[nn.Module] | Any, *, purpose: Purpose = Purpose.SEARCH, is_checked_first: bool = True) -> Steps:
    """Begin a trial of a user's own task."""

    def build(_: Mapping[str, Any], data: Data) -> nn.Module:
        built: nn.Module = network(data.inputs[0], data.outputs)
        return built

    return begin(
        TaskSpec(name=OWN, data=IRIS),
        {"epochs": 1},
        seed=3,
        purpose=purpose,
        files={},
        device=CPU,
        allowed={OWN: build},
        is_checked_first=is_checked_first,
    )


class Shaking(nn.Module):
    """A network that bends too sharply for differences to say anything of its first layer."""

    def __init__(self, features: int, classes: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(features, 6), nn.Linear(6, classes)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.last(torch.sin(1000 * self.first(x)))
        return outputs


def planted(fault: Any) -> Any:
    return lambda features, classes: Planted(fault, features=features, classes=classes)


# -- a check in place of a training ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "data", "params"),
    [
        ("mlp", DataSpec(dataset="wine"), SMALL),
        ("mlp", DataSpec(dataset="diabetes"), {**SMALL, "loss": "huber"}),
        ("mlp", DataSpec(dataset="moons"), {**SMALL, "normalization": "batch", "l1": 1e-3, "l2": 1e-2}),
        ("cnn", DataSpec(), {"channels": 2, "conv_blocks": 2, "epochs": 1}),
        ("mlp", DataSpec(dataset="iris", split=SplitSpec(folds=3)), SMALL),
    ],
)
def test_a_check_of_a_built_in_task_is_one_step_whose_metrics_are_its_figures(
    task: str, data: DataSpec, params: Params
) -> None:
    checking = run(params, data, task=task, purpose=Purpose.CHECK)

    steps = list(checking.epochs())

    assert [step.step for step in steps] == [1]
    assert steps == [checking.result]
    assert checking.is_over
    found = checking.result.metrics
    assert found["gradient_check"] < 1e-7
    assert found["checked"] + found["kinks"] == min(5000, found["parameters"])
    assert all(figure < 1e-7 for name, figure in found.items() if name.startswith("figure."))
    assert Report(step=1, metrics=dict(found)).metrics == found


def test_a_check_that_finds_a_fault_reports_its_figures_and_then_fails_with_the_tensor_named() -> None:
    checking = own(planted(FAULTS["a sign"]), purpose=Purpose.CHECK)
    steps = checking.epochs()

    reported = next(steps)
    with pytest.raises(GradientWrong) as wrong:
        next(steps)

    assert reported.metrics["figure.first.weight"] == pytest.approx(1.0)
    assert reported.metrics["figure.last.weight"] < 1e-7
    assert "the gradient of first.weight is wrong (figure 1)" in str(wrong.value)
    assert "by differences and" in str(wrong.value)
    assert "last." not in str(wrong.value)


def test_a_check_has_no_checkpoint_to_go_on_from() -> None:
    checking = run(SMALL, IRIS, purpose=Purpose.CHECK)

    with pytest.raises(CheckpointForeign):
        checking.restore(checking.state())


def test_of_very_many_tensors_the_worst_are_told() -> None:
    tensors = [TensorCheck(f"layer.{n}-x", 1, 1, 0, figure=n * 1e-12, worst=[]) for n in range(200)]

    told = metrics(GradientCheck(1e-12, tensors))

    assert len(told) <= 64
    assert {f"figure.layer.{n}_x" for n in range(150, 200)} == {name for name in told if name.startswith("figure.")}


# -- before the first trial -----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS)
def test_a_users_own_task_with_a_wrong_gradient_does_not_begin(fault: str) -> None:
    with pytest.raises(GradientWrong, match=r"the gradient of first\.(weight|bias) is"):
        own(planted(FAULTS[fault]))


def test_a_users_own_task_that_is_right_trains_as_if_it_had_not_been_checked() -> None:
    plain, first_checked = (own(planted(RIGHT), is_checked_first=is_checked) for is_checked in (False, True))

    figures = [[epoch.metrics for epoch in training.epochs()] for training in (plain, first_checked)]

    assert figures[0] == figures[1]


def test_a_tensor_that_cannot_be_compared_is_not_rated_right() -> None:
    check = own(Shaking, purpose=Purpose.CHECK)

    with pytest.raises(GradientWrong, match=r"first\.weight is suspicious: 24 of 24 of its parameters could not be"):
        list(check.epochs())

    assert check.result.metrics["uncompared"] == 2
    assert {name for name in check.result.metrics if name.startswith("figure.")} == {
        "figure.last.weight",
        "figure.last.bias",
    }


def test_a_network_that_cannot_be_compared_is_trained_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        training = own(Shaking)

    assert [epoch.step for epoch in training.epochs()] == [1]
    assert "trains without a whole check of the gradients: the gradient of first.weight is suspicious" in caplog.text


def effort(*, operations: float, is_dispensable: bool = False) -> Effort:
    return Effort(parameters=1000, examples=2, operations=operations, is_dispensable=is_dispensable)


def test_of_a_network_that_computes_much_fewer_parameters_are_looked_at_but_one_of_each_tensor() -> None:
    network, data = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 3)), prepare(IRIS, device=CPU)
    a_loss = 2 * 2 * (4 * 9 + 9 * 3)  # A product and a sum for each weight and example.
    settled = {"loss": "auto", "l1": 0.0, "l2": 0.0}

    looked_at = {
        operations: [tensor.checked for tensor in checked(network, data, settled, seed=0, effort=each).tensors]
        for operations in (4 * a_loss * 1000, 4 * a_loss * 8, 1)
        for each in [effort(operations=operations)]
    }

    assert list(looked_at.values()) == [[36, 9, 27, 3], [2, 2, 2, 2], [1, 1, 1, 1]]


def test_a_network_whose_check_would_take_long_is_trained_without_one_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.tasks.BRIEF", effort(operations=1, is_dispensable=True))

    with caplog.at_level(logging.WARNING):
        metrics = [epoch.metrics for epoch in own(planted(next(iter(FAULTS.values())))).epochs()]

    assert len(metrics) == 1
    assert "trains without a check of the gradients: Uncheckable: one parameter of each tensor" in caplog.text


def test_what_cannot_be_checked_is_trained_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    class Drawing(nn.Linear):
        def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002  # torch's name
            return super().forward(input) + torch.randn(self.out_features)

    with caplog.at_level(logging.WARNING):
        (epoch,) = own(Drawing).epochs()

    assert isinstance(epoch, Epoch)
    assert "trains without a check of the gradients: Uncheckable: the loss is not the same twice" in caplog.text


@pytest.mark.parametrize(
    ("changed", "is_checked"),
    [
        ({}, True),
        ({"trial": 9}, True),
        ({"trial": 10}, False),
        ({"task": TaskSpec(name="mlp")}, False),
        ({"purpose": Purpose.PRESCRIPTION}, True),
        ({"purpose": Purpose.FINAL}, False),
    ],
)
def test_the_first_trials_of_a_users_own_task_are_checked_and_no_others(
    changed: dict[str, Any], is_checked: bool
) -> None:
    lease = LEASE.model_copy(update={"task": TaskSpec(name=OWN), "trial": 0} | changed)

    ordered = order(lease, None, model_path=Path("model"))

    assert ordered.is_checked_first is is_checked


def test_a_trial_that_goes_on_from_a_checkpoint_is_not_checked_again() -> None:
    lease = LEASE.model_copy(update={"task": TaskSpec(name=OWN), "trial": 0})

    ordered = order(lease, CheckpointFile(path="checkpoint", sha256="0"), model_path=Path("model"))

    assert not ordered.is_checked_first
    assert ordered.identity == order(lease, None, model_path=Path("model")).identity
