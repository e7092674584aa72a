"""Optuna's Gaussian process on our view. It needs torch: it runs in a child process (service.sampling.children).

Source: optuna.samplers.GPSampler of Optuna 5.
"""

from importlib.util import find_spec

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from service.sampling.view import View


def sampler(view: View, *, seed: int, startup_trials: int) -> BaseSampler:
    """Return the sampler of one trial; before enough trials are complete the random one that it would ask itself."""
    if is_starting(view, startup_trials=startup_trials):
        return RandomSampler(seed)
    return _ViewGPSampler(view, seed=seed, startup_trials=startup_trials)


def is_starting(view: View, *, startup_trials: int) -> bool:
    """Return whether there are too few complete trials yet: then neither torch nor a child is needed."""
    return int(view.is_complete_N.sum()) < startup_trials


def is_installed() -> bool:
    """Return whether the service's environment has torch, without importing it."""
    return find_spec("torch") is not None


class _ViewGPSampler(GPSampler):
    def __init__(self, view: View, *, seed: int, startup_trials: int) -> None:
        super().__init__(seed=seed, n_startup_trials=startup_trials, warn_independent_sampling=False)
        self._view = view

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that every complete trial has."""
        return self._view.shared(self._view.is_complete_N)
