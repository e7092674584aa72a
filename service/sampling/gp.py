"""Optuna's Gaussian process on our view. It needs torch: it runs in a child process (service.sampling.child).

Source: optuna.samplers.GPSampler of Optuna 5.
"""

import copy
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from service.history import Floats
from service.sampling.view import View

_CANDIDATES = 512
"""Of which the points of a batch after its first one are chosen. Optuna draws 2,048 and searches on from ten of them,
which takes ten times as long."""


def sampler(view: View, *, seed: int, startup_trials: int, is_first: bool = True) -> BaseSampler:
    """Return the sampler of one trial; before enough trials are complete the random one that it would ask itself.

    Args:
        view: What to learn from.
        seed: Of the one trial.
        startup_trials: Complete trials before the process takes over.
        is_first: Of a batch; for the others a good point will do.
    """
    if is_starting(view, startup_trials=startup_trials):
        return RandomSampler(seed)
    made = _ViewGPSampler if is_first else _HastyGPSampler
    return made(view, seed=seed, startup_trials=startup_trials)


def is_starting(view: View, *, startup_trials: int) -> bool:
    """Return whether there are too few complete trials yet: then neither torch nor a child is needed."""
    return int(view.is_complete_N.sum()) < startup_trials


def is_installed() -> bool:
    """Return whether the service's environment has torch, without importing it."""
    return find_spec("torch") is not None


def remember_fits() -> None:
    """Let a process that is fitted to the same trials again be as it was: all points of a batch share one fit.

    Of this whole process, so for a child only.
    """
    module: Any = import_module("optuna._gp.gp")
    fit, fits = module.fit_kernel_params, dict[bytes, Any]()

    def remembered(*, X: Floats, Y: Floats, **settings: Any) -> Any:
        # A sampler that is made anew for each trial starts each fit alike: what it comes to follows from the data.
        key = b"|".join((X.tobytes(), Y.tobytes(), settings["is_categorical"].tobytes()))
        if key not in fits:
            if len(fits) >= _MAX_FITS:
                fits.pop(next(iter(fits)))
            fits[key] = fit(X=X, Y=Y, **settings)
        # The acquisition functions add running trials to it.
        return copy.deepcopy(fits[key])

    module.fit_kernel_params = remembered


_MAX_FITS = 16
"""One for each objective and each constraint of a study."""


class _ViewGPSampler(GPSampler):
    def __init__(self, view: View, *, seed: int, startup_trials: int) -> None:
        super().__init__(seed=seed, n_startup_trials=startup_trials, warn_independent_sampling=False)
        self._view = view

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that every complete trial has."""
        return self._view.shared(self._view.is_complete_N)


class _HastyGPSampler(_ViewGPSampler):
    """Takes the best of some candidates by the same figure, and searches no further."""

    def _optimize_acqf(self, acqf: Any, best_params: Floats | None) -> Floats:
        candidates = acqf.search_space.sample_normalized_params(_CANDIDATES, rng=self._rng.rng)
        best: Floats = candidates[np.argmax(acqf.eval_acqf_no_grad(candidates))]
        return best
