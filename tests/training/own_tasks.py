"""Tasks of a user's own: a right one, and one for each way to be wrong."""

import logging
import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from workers.training.data import Data

NOT_CALLABLE = 3

SIZES: list[list[int]] = []
"""Of the batches that each network that was `Normalised` has been trained on."""


class Dropping(nn.Module):
    """A network that draws from torch's own stream: its first weights and its dropout."""

    def __init__(self, params: Mapping[str, Any], data: Data) -> None:
        super().__init__()
        self.hidden = nn.LazyLinear(int(params["width"]))
        self.dropout = nn.Dropout(0.5)
        self.output = nn.Linear(int(params["width"]), data.outputs)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.output(self.dropout(torch.relu(self.hidden(x.flatten(1)))))
        return outputs


def clamping(params: Mapping[str, Any], data: Data) -> nn.Module:
    """Return a network that writes over what it is given."""
    layers = (nn.Hardtanh(-0.5, 0.5, inplace=True), nn.Linear(4, int(params["width"])), nn.ReLU())
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(int(params["width"]), data.outputs))


class Normalised(nn.Module):
    """A network with torch's own batch normalisation, which remembers the sizes of its batches."""

    def __init__(self, params: Mapping[str, Any], data: Data) -> None:
        super().__init__()
        width = int(params["width"])
        layers = (nn.Linear(4, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, data.outputs))
        self.layers = nn.Sequential(nn.Flatten(), *layers)
        self.batches: list[int] = []
        SIZES.append(self.batches)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.batches.append(len(x))
        outputs: Tensor = self.layers(x)
        return outputs


class Tied(nn.Module):
    """A network of which two layers have the same weights."""

    def __init__(self, params: Mapping[str, Any], data: Data) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
        self.second.weight = self.first.weight
        self.output = nn.Linear(4, data.outputs)

    def forward(self, x: Tensor) -> Tensor:
        outputs: Tensor = self.output(torch.relu(self.second(torch.relu(self.first(x.flatten(1))))))
        return outputs


class Keeping(nn.Module):
    """A network that keeps what it has made once for batches of a size."""

    def __init__(self, params: Mapping[str, Any], data: Data) -> None:
        super().__init__()
        self.hidden, self.output = nn.Linear(4, int(params["width"])), nn.Linear(int(params["width"]), data.outputs)
        self.kept: dict[int, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        shares = self.kept.setdefault(len(x), torch.ones(len(x), 1))
        outputs: Tensor = self.output(torch.relu(self.hidden(x.flatten(1))) * shares)
        return outputs


class Unwritable(Dropping):
    """A network with a state that is no tensor."""

    def get_extra_state(self) -> str:
        return "seen"

    def set_extra_state(self, state: str) -> None:
        """Nothing depends on it."""


def broken(params: Mapping[str, Any], data: Data) -> nn.Module:
    del params, data
    raise LookupError("there is no such layer")


class Torn(Dropping):
    """A network that fails after its first batches."""

    batches = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.batches += 1
        if self.batches == 3:
            return x @ torch.zeros(1, 2, 3)[0]
        return super().forward(x)


def leaving_doubles(params: Mapping[str, Any], data: Data) -> nn.Module:
    """Fail before what was changed is changed back."""
    torch.set_default_dtype(torch.float64)
    network = broken(params, data)
    torch.set_default_dtype(torch.float32)
    return network


def keeping_doubles(params: Mapping[str, Any], data: Data) -> nn.Module:
    """Change what torch goes by, and never change it back."""
    torch.set_default_dtype(torch.float64)
    return clamping(params, data).float()


class Halved(Dropping):
    """A network that answers in bfloat16."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).bfloat16()


class Paired(Dropping):
    """A network that answers with more than its outputs."""

    def forward(self, x: Tensor) -> Any:
        return super().forward(x), x


def half_frozen(params: Mapping[str, Any], data: Data) -> nn.Module:
    network = Dropping(params, data)
    network.hidden = nn.Linear(4, int(params["width"])).requires_grad_(False)  # type: ignore[assignment]  # not lazy
    return network


def no_network(params: Mapping[str, Any], data: Data) -> Any:
    del params, data
    return torch.zeros(3)


def too_narrow(params: Mapping[str, Any], data: Data) -> nn.Module:
    del params, data
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(1))


def frozen(params: Mapping[str, Any], data: Data) -> nn.Module:
    del params
    return nn.Sequential(nn.Flatten(), nn.Linear(4, data.outputs).requires_grad_(False))


def looks_at_the_test_set(params: Mapping[str, Any], data: Data) -> nn.Module:
    if data.test is None:
        raise PermissionError("the test set is locked")
    return Dropping(params, data)


def writing(params: Mapping[str, Any], data: Data) -> nn.Module:
    """Return a network, and write in every way."""
    print("printed")  # noqa: T201  # as people do
    print("to standard error", file=sys.stderr)  # noqa: T201  # as people do
    logging.getLogger("ours").info("logged")
    warnings.warn("warned of", stacklevel=1)
    print("without an end", end="")  # noqa: T201  # as people do
    return clamping({"width": 4, **params}, data)


def dying(params: Mapping[str, Any], data: Data) -> nn.Module:
    """Take the process along."""
    print("its last words")  # noqa: T201  # as people do
    os.abort()
