"""Features of mean 0 and variance 1, by figures of the training set alone."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

# N examples, D features.


@dataclass(frozen=True)
class Normalization:
    """What is subtracted from each feature, and what it is then divided by.

    Args:
        mean_D: Means of the training set, float64.
        scale_D: Its standard deviations, float64; 1 for a constant feature.
    """

    mean_D: NDArray[np.float64]
    scale_D: NDArray[np.float64]

    @classmethod
    def fit(cls, x_ND: NDArray[np.float64]) -> Self:
        """Take the figures of a training set."""
        # By the extremes: the computed deviation of a constant is not always exactly zero.
        is_constant_D = x_ND.min(axis=0) == x_ND.max(axis=0)
        return cls(x_ND.mean(axis=0), np.where(is_constant_D, 1.0, x_ND.std(axis=0)))

    def apply(self, x_ND: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return the features normalised, float32."""
        return ((x_ND - self.mean_D) / self.scale_D).astype(np.float32)
