"""What a network is trained and judged on: normalised, on the device, without the test set."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

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
    """The two sets that a trial may see.

    Args:
        train: What the weights are fitted to.
        validation: What the trial is judged by.
        features: Number of features.
        classes: Number of classes.
        normalization: How features became what they are here.
        split_hash: The split that this came from.
    """

    train: Examples
    validation: Examples
    features: int
    classes: int
    normalization: Normalization
    split_hash: str


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
        features=dataset.x_ND.shape[1],
        classes=dataset.classes,
        normalization=normalization,
        split_hash=split.hash,
    )
