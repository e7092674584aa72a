"""Optuna's genetic algorithms, NSGA-II and NSGA-III, on our view.

Which generation a trial is of, and which trials its parents are, they keep in attributes: those go with the trial.

Source: Deb et al. 2002, doi:10.1109/4235.996017; Deb and Jain 2014, doi:10.1109/TEVC.2013.2281535; optuna.samplers.
"""

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import NSGAIIISampler, NSGAIISampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from service.history import Bools
from service.sampling.study_view import StudyView
from service.sampling.view import View


class ViewNSGAIISampler(NSGAIISampler):
    """NSGA-II that reads the shared parameters from the view's arrays."""

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that every complete trial has."""
        return _shared(study)


class ViewNSGAIIISampler(NSGAIIISampler):
    """NSGA-III that reads the shared parameters from the view's arrays."""

    def __init__(self, *, population_size: int, seed: int) -> None:
        # Around the warning, for each trial, that the sampler is experimental in Optuna: a test compares its points.
        begin = NSGAIIISampler.__init__.__wrapped__  # type: ignore[attr-defined]  # functools.wraps leaves it
        begin(self, population_size=population_size, seed=seed)

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that every complete trial has."""
        return _shared(study)


# Optuna names what it keeps after the class: as its own, so that its own tools find it.
ViewNSGAIISampler._GENERATION_KEY = NSGAIISampler._GENERATION_KEY
ViewNSGAIISampler._PARENT_CACHE_KEY_PREFIX = NSGAIISampler._PARENT_CACHE_KEY_PREFIX
ViewNSGAIIISampler._GENERATION_KEY = NSGAIIISampler._GENERATION_KEY
ViewNSGAIIISampler._PARENT_CACHE_KEY_PREFIX = NSGAIIISampler._PARENT_CACHE_KEY_PREFIX


def relatives_N(view: View) -> Bools:
    """Return the trials that the next generation depends on: the last two generations, and their parents.

    All others would only be looked at and passed over.
    """
    seen = view.observations
    last = int(seen.generations_N[view.is_complete_N].max(initial=-1))
    wanted = [number for generation in (last - 1, last, last + 1) for number in view.parents.get(generation, ())]
    return view.is_complete_N & ((seen.generations_N >= last - 1) | np.isin(seen.numbers_N, wanted))


def _shared(study: Study | StudyView) -> dict[str, BaseDistribution]:
    assert isinstance(study, StudyView)
    return study.view.shared(study.view.is_complete_N)
