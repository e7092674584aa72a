"""Candidates of a tree-structured Parzen estimator for several trials at once: estimated once, then taken in turn.

What was taken counts as running for those that come after it: it becomes one more kernel of the estimator of the bad
trials, as wide as its neighbour there, and of the weight of the newest trial. The candidates are weighed anew by that
kernel alone; to estimate everything again would cost as much as the first point.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.samplers._tpe.probability_distributions import (
    _BatchedCategoricalDistributions,
    _MixtureOfProductDistribution,
)

from service.history import Floats
from service.sampling.density import log_pdf


class Pool:
    """What may be taken.

    Args:
        below: The estimator of the good trials.
        above: That of the others.
        candidates: C values of each parameter, drawn from `below`.
        first: How many of them the first trial chooses from: those that it would have alone.
    """

    def __init__(self, below: Any, above: Any, candidates: Mapping[str, Floats], *, first: int) -> None:
        self._above = above
        self._candidates = candidates
        self._log_below_C = log_pdf(below, candidates)
        self._log_above_C = log_pdf(above, candidates)
        self._is_left_C = np.arange(len(self._log_below_C)) < first
        self._taken: dict[str, float] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing more to take."""
        return self._taken is not None and not self._is_left_C.any()

    def take(self) -> dict[str, float]:
        """Return the best candidate that is left, in view of those that were taken."""
        if self._taken:
            kernel_C = log_pdf(_Kernel.at(self._taken, self._above), self._candidates)
            self._log_above_C = np.logaddexp(self._log_above_C, self._log_weight + kernel_C)
        best = int(np.argmax(np.where(self._is_left_C, self._log_below_C - self._log_above_C, -np.inf)))
        if self._taken is None:
            self._is_left_C[:] = True
        self._is_left_C[best] = False
        self._taken = {name: values[best].item() for name, values in self._candidates.items()}
        return self._taken

    @property
    def _log_weight(self) -> float:
        # The last weight is that of the prior; before it is the newest trial.
        return float(np.log(self._above._mixture_distribution.weights[-2:][0]))


@dataclass(frozen=True)
class _Kernel:
    """One kernel of an estimator, for `log_pdf`."""

    _mixture_distribution: _MixtureOfProductDistribution
    _search_space: Mapping[str, Any]

    @classmethod
    def at(cls, point: Mapping[str, float], estimator: Any) -> "_Kernel":
        """Return the kernel that `estimator` would have at `point`."""
        kinds = zip(estimator._mixture_distribution.distributions, estimator._search_space, strict=True)
        kernels = [_kernel(kind, point[name]) for kind, name in kinds]
        return cls(_MixtureOfProductDistribution(weights=np.ones(1), distributions=kernels), estimator._search_space)


def _kernel(kernels: Any, value: float) -> Any:
    if isinstance(kernels, _BatchedCategoricalDistributions):
        count = len(kernels.weights)
        weights = np.full((1, kernels.weights.shape[1]), 1.0 / count)
        weights[0, int(value)] += 1.0
        return _BatchedCategoricalDistributions(weights / weights.sum())
    mu = np.log(value) if kernels.is_log else value
    nearest = int(np.argmin(np.abs(kernels.mu - mu)))
    return kernels._replace(mu=np.array([mu]), sigma=kernels.sigma[nearest : nearest + 1])
