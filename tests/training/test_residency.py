"""Examples that lie on the device: an epoch takes its batches there, and is waited for once."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tests.training.runs import CPU, run
from trimtab.data import DataSpec
from trimtab.message import Params
from workers.training.data import prepare

CROSSINGS = {
    *(Tensor.to, Tensor.cpu, Tensor.cuda, Tensor.pin_memory, Tensor.copy_, Tensor.numpy, Tensor.item, Tensor.tolist),
    *(Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, torch.tensor, torch.as_tensor),
    *(torch.from_numpy, torch.asarray),
}
"""What copies between host and device, or makes the host wait for a figure, where the two are not the same."""


class Crossings(TorchFunctionMode):
    """Counts them by name, also those that have nothing to do on a CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in CROSSINGS:
            self.counts[func.__name__] += 1
        return func(*args, **(kwargs or {}))


def crossings(params: Params) -> Counter[str]:
    """Return what crosses in the second epoch of a training."""
    epochs = run({"epochs": 3, **params}).epochs()
    next(epochs)
    seen = Crossings()
    with seen:
        next(epochs)
    return seen.counts


@pytest.mark.parametrize(
    "params",
    [
        {"optimizer": "adam"},
        {"optimizer": "nesterov", "weight_decay": 0.1},
        {"optimizer": "rmsprop", "l1": 0.001, "l2": 0.001},
        {"dropout": 0.3, "input_dropout": 0.1, "feature_noise": 0.1},
        {"normalization": "batch", "patience": 2},
    ],
)
def test_nothing_crosses_for_a_batch_between_host_and_device(params: Params) -> None:
    few, many = (crossings({**params, "batch_size": size}) for size in (1079, 8))

    assert few == many
    assert few["tolist"] == 1


def test_examples_that_lie_elsewhere_cross_with_each_batch() -> None:
    data = prepare(DataSpec(dataset="iris"), device=CPU)
    elsewhere = replace(data.train, device=torch.device("cpu", 0))
    seen = Crossings()

    with seen:
        for rows_M in torch.split(torch.arange(len(elsewhere)), 10):
            elsewhere.batch(rows_M)

    assert seen.counts == {"to": 2 * 9}
