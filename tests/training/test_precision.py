import pytest
import torch
from torch import Tensor, nn

from tests.training.runs import run
from trimtab.data import DataSpec
from trimtab.message import Params
from workers.training.precision import forward_of, is_mixed

CPU = torch.device("cpu")
CUDA = torch.device("cuda")
IRIS = DataSpec(dataset="iris")
CONVOLUTIONAL: Params = {"channels": 8, "normalization": "batch", "dropout": 0.1}


def curve(precision: str) -> list[dict[str, float]]:
    params: Params = {"epochs": 10, "learning_rate": 0.01, "precision": precision}
    return [epoch.metrics for epoch in run(params, IRIS).epochs()]


@pytest.mark.parametrize(
    ("precision", "device", "expected"),
    [
        ("auto", CPU, False),
        ("auto", CUDA, True),
        ("float32", CUDA, False),
        ("mixed", CUDA, True),
        ("mixed", CPU, True),
    ],
)
def test_auto_mixes_on_cuda_alone(precision: str, device: torch.device, expected: bool) -> None:
    assert is_mixed(precision, device) is expected


def test_mixed_computes_in_bfloat16_and_keeps_outputs_and_weights_in_float32() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    inside: list[torch.dtype] = []
    network[1].register_forward_hook(lambda _module, _inputs, output: inside.append(output.dtype))

    outputs_NK = forward_of(network, "mixed", CPU)(torch.randn(5, 4))
    outputs_NK.sum().backward()  # type: ignore[no-untyped-call]

    gradients: list[Tensor | None] = [parameter.grad for parameter in network.parameters()]
    assert inside == [torch.bfloat16]
    assert outputs_NK.dtype == torch.float32
    assert {gradient.dtype for gradient in gradients if gradient is not None} == {torch.float32}


def test_mixed_trains_nearly_as_float32_does() -> None:
    mixed, exact = curve("mixed"), curve("float32")

    assert mixed != exact
    assert mixed[-1]["validation_loss"] == pytest.approx(exact[-1]["validation_loss"], rel=0.05)


def test_auto_on_a_cpu_is_float32_to_the_last_bit() -> None:
    assert curve("auto") == curve("float32")


def test_a_convolutional_network_trains_mixed() -> None:
    params: Params = {**CONVOLUTIONAL, "epochs": 2, "precision": "mixed"}

    first, second = (epoch.metrics for epoch in run(params, task="cnn").epochs())

    assert second["training_loss"] < first["training_loss"]
