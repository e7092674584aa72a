"""What a network is trained and judged on: normalised, on the device, without the test set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data import Problem
from workers.training import datasets
from workers.training.normalization import Normalization
from workers.training.split import deal

# N examples, D features.

_KEPT = 4  # data sets that stay on the device: a worker's trials come from few studies at a time


@dataclass(frozen=True)
class Examples:
    """Examples on the device.

    Args:
        x_ND: Features, float32, normalised.
        y_N: Classes, int64.
    """

    x_ND: Tensor
    y_N: Tensor

    def __len__(self) -> int:
        return len(self.y_N)


@dataclass(frozen=True)
class Data:
    """The sets that a training may see.

    Args:
        train: What the weights are fitted to.
        validation: What the trial is judged by.
        problem: What is learned.
        inputs: Shape of one example: (D,), or channels, height and width.
        outputs: Outputs of the network: classes, or 1 for a number.
        split_hash: The split that this came from.
        train_dev: Held out from where `train` comes from, where validation comes from elsewhere.
        test: For the final model alone; None: locked.
        facts: What is known of the data, as metrics by name.
    """

    train: Examples
    validation: Examples
    problem: Problem
    inputs: tuple[int, ...]
    outputs: int
    split_hash: str
    train_dev: Examples | None = None
    test: Examples | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


@lru_cache(maxsize=_KEPT)
def prepare(name: str, *, split_seed: int, device: torch.device) -> Data:
    """Load a data set, split it, normalise it by its training set and put it on the device, once.

    Raises:
        ValueError: There is no data set of that name.
    """
    dataset = datasets.load(name)
    split = deal(dataset.y_N, content_hash=dataset.content_hash, seed=split_seed)
    normalization = Normalization.fit(dataset.x_ND[split.train])

    def examples(rows: NDArray[np.int64]) -> Examples:
        x_ND = torch.from_numpy(normalization.apply(dataset.x_ND[rows]))
        return Examples(x_ND.to(device), torch.from_numpy(dataset.y_N[rows]).to(device))

    return Data(
        train=examples(split.train),
        validation=examples(split.validation),
        problem=Problem.CLASSIFICATION,
        inputs=dataset.x_ND.shape[1:],
        outputs=dataset.classes,
        split_hash=split.hash,
    )
