"""Optuna's tree-structured Parzen estimator on arrays that are kept.

The original turns every trial into arrays for every suggestion; that is half of its time at 10,000 trials. This
one gives the same points from the same trials (a test compares them), since all but the bookkeeping is Optuna's.

Source: Watanabe, Tree-structured Parzen estimator, arXiv:2304.11127; optuna.samplers.TPESampler of Optuna 5.
"""

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import TPESampler
from optuna.samplers._tpe.sampler import default_gamma
from optuna.study import Study
from optuna.trial import FrozenTrial

from service.history import Ints
from service.sampling.pool import Pool
from service.sampling.suggestion import seed_of
from service.sampling.view import View

Pools = dict[tuple[str, ...], Pool]
"""By the names of the parameters that are estimated together."""

PER_TRIAL = 2
"""Candidates that each further trial of an ask adds to the first one's."""


class ArrayTPESampler(TPESampler):
    """A TPESampler that reads a View instead of a study's trials.

    Args:
        view: What to learn from.
        seed: Of the one trial that this sampler is for.
        startup_trials: Finished trials before the estimator takes over from random choice.
        pools: What the trials that are asked for together choose from, by the parameters' names.
        others: Trials that are asked for together with the first one.
    """

    def __init__(self, view: View, *, seed: int, startup_trials: int, pools: Pools, others: int = 0) -> None:
        # Not constant_liar, which would publish a running trial's parameters in its attributes: ours are in
        # the view already, and `_sample` counts them among the bad ones, as constant_liar does.
        super().__init__(n_startup_trials=startup_trials, seed=seed, constant_liar=False)
        self._view = view
        self._seed = seed
        self._pools = pools
        self._others = others

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that every finished trial has, sorted by name, but those of a single value."""
        return self._view.shared(self._view.is_usable_N)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return the value of a parameter that some trials lack."""
        if self._view.finished < self._n_startup_trials:
            return self._random_sampler.sample_independent(study, trial, param_name, param_distribution)
        return self._sample(study, trial, {param_name: param_distribution})[param_name]

    def _sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if not search_space or self._view.finished < self._n_startup_trials:
            return {}
        return self._sample(study, trial, search_space)

    def _sample(self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]) -> dict[str, Any]:
        key = tuple(search_space)
        if key not in self._pools or self._pools[key].is_empty:
            self._pools[key] = self._pool(search_space)
        best = self._pools[key].take()
        return {name: distribution.to_external_repr(best[name]) for name, distribution in search_space.items()}

    def _pool(self, search_space: dict[str, BaseDistribution]) -> Pool:
        below, above = self._split(default_gamma(self._view.finished))
        estimator_below = self._estimator(search_space, below)
        estimator_above = self._estimator(search_space, above)
        candidates = estimator_below.sample(self._rng.rng, self._n_ei_candidates)
        if self._others:
            # From numbers of their own: the first trial's other parameters are drawn as if it were alone.
            rng = np.random.RandomState(seed_of(self._seed, self._others))
            more = estimator_below.sample(rng, PER_TRIAL * self._others)
            candidates = {name: np.append(candidates[name], more[name]) for name in candidates}
        return Pool(estimator_below, estimator_above, candidates, first=self._n_ei_candidates)

    def _split(self, n_below: int) -> tuple[Ints, Ints]:
        """Return the rows of the good and of the other trials, by number; rows past N are unfinished ones."""
        view = self._view
        n = len(view.observations.numbers_N)
        below, above = np.split(view.best_first, [n_below])
        unfinished = np.arange(n, n + len(view.unfinished))
        return self._by_number(below), self._by_number(np.concatenate([above, unfinished]))

    def _by_number(self, rows: Ints) -> Ints:
        unfinished = [trial.number for trial in self._view.unfinished]
        numbers = np.append(self._view.observations.numbers_N, unfinished).astype(np.int64)
        return rows[np.argsort(numbers[rows], kind="stable")]

    def _estimator(self, search_space: dict[str, BaseDistribution], rows: Ints) -> Any:
        view = self._view
        points = np.concatenate([view.observations.points_NP, view.unfinished_points_MP])[rows]
        columns = points[:, [view.observations.names.index(name) for name in search_space]]
        columns = columns[~np.isnan(columns).any(axis=1)]
        observed = {name: columns[:, position] for position, name in enumerate(search_space)}
        return self._parzen_estimator_cls(observed, search_space, self._parzen_estimator_parameters)
