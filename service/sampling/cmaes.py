"""Optuna's CMA-ES without the pickles that it keeps in the database: the optimizer is replayed from the trials.

What an optimizer has learned follows from the trials of each generation alone: the first `population_size` of it that
ended. So any replica comes to the same state. States are remembered by a hash of all that led to them.

Source: Hansen, The CMA evolution strategy: a tutorial, arXiv:1604.00772; optuna.samplers.CmaEsSampler of Optuna 5.
"""

import copy
import hashlib
import threading
from typing import Any

import numpy as np
from cachetools import LRUCache
from cmaes import CMA
from optuna._transform import _SearchSpaceTransform
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import CmaEsSampler
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial

from service.history import Floats
from service.sampling.view import View

_MAX_STATES = 256
"""Of all studies, the newest; one is 8 (d^2 + 6 d) bytes for d parameters. A study needs its last one."""

_states: LRUCache[bytes, CMA] = LRUCache(_MAX_STATES)
_lock = threading.Lock()


class ReplayedCmaEsSampler(CmaEsSampler):
    """CMA-ES over the numeric parameters without a condition; the others are drawn at random.

    Args:
        view: What to learn from.
        seed: Of the one trial that this sampler is for.
        population_size: Of a generation; None: Optuna's.
    """

    def __init__(self, view: View, *, seed: int, population_size: int | None) -> None:
        super().__init__(seed=seed, popsize=population_size, warn_independent_sampling=False)
        self._view = view
        self._seed = seed

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the numeric parameters that every point has, sorted by name."""
        found = {d.stored_name: d.distribution for d in self._view.dimensions if d.parameter.when is None}
        numeric = {name for name, each in found.items() if not isinstance(each, CategoricalDistribution)}
        return {name: found[name] for name in sorted(numeric) if not found[name].single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return the values of these parameters; none before the first trial is complete."""
        if not search_space or not self._view.is_complete_N.any():
            return {}
        transform = _SearchSpaceTransform(search_space, transform_step=True, transform_0_1=True)
        optimizer = _replayed(self._init_optimizer(transform, StudyDirection.MINIMIZE), self._view, transform)
        if self._view.observations.generations_N[self._view.is_complete_N].max() > 0:
            # Optuna would have read the optimizer from one of these trials: to make one has cost a random number.
            self._cma_rng.rng.seed(self._seed)
        # What Optuna seeds its optimizer with: all randomness of this trial.
        optimizer._rng.seed(self._cma_rng.rng.randint(1, 2**16) + trial.number)
        study._storage.set_trial_system_attr(trial._trial_id, self._attr_key_generation, optimizer.generation)
        values: dict[str, Any] = transform.untransform(optimizer.ask())
        return values


def _replayed(start: CMA, view: View, transform: _SearchSpaceTransform) -> CMA:
    """Return the optimizer as it is after all generations that are complete."""
    generations = _generations(view, transform, start.population_size)
    digests = [hashlib.sha256(repr((start.population_size, transform._raw_bounds.tolist())).encode()).digest()]
    for rows_KP, losses_K in generations:
        digests.append(hashlib.sha256(digests[-1] + rows_KP.tobytes() + losses_K.tobytes()).digest())
    with _lock:
        known = next((n for n in range(len(generations), 0, -1) if digests[n] in _states), 0)
        state = _states.get(digests[known], start)
    for digest, (rows_KP, losses_K) in zip(digests[known + 1 :], generations[known:], strict=True):
        state = _told(digest, state, _points_KD(rows_KP, transform), losses_K)
    return copy.deepcopy(state)


def _told(digest: bytes, before: CMA, points_KD: Floats, losses_K: Floats) -> CMA:
    # A copy goes through the same compression of the covariance as Optuna's pickles.
    state = copy.deepcopy(before)
    state.tell(list(zip(points_KD, losses_K.tolist(), strict=True)))
    with _lock:
        _states[digest] = state
    return state


def _generations(view: View, transform: _SearchSpaceTransform, population_size: int) -> list[tuple[Floats, Floats]]:
    """Return the solutions of each complete generation in turn: stored values and losses, by number of the trial."""
    seen, losses_N = view.observations, _losses_N(view)
    columns = seen.points_NP[:, [seen.names.index(name) for name in transform._search_space]]
    worst_N = np.maximum.accumulate(losses_N) if losses_N.size else losses_N
    rows = np.flatnonzero(view.is_complete_N & (seen.generations_N >= 0))
    rows = rows[np.argsort(seen.generations_N[rows], kind="stable")]
    found = []
    for generation, members in enumerate(np.split(rows, np.flatnonzero(np.diff(seen.generations_N[rows])) + 1)):
        rows_K = members[:population_size]
        if len(rows_K) < population_size or seen.generations_N[rows_K[0]] != generation:
            break
        # A trial without a value has the worst one of those that ended before the generation was complete.
        losses_K = np.where(np.isinf(losses_N[rows_K]), worst_N[rows_K[-1]], losses_N[rows_K])
        order_K = np.argsort(seen.numbers_N[rows_K])
        found.append((columns[rows_K[order_K]], losses_K[order_K]))
    return found


def _losses_N(view: View) -> Floats:
    """Return the loss of each trial; minus infinity where the worst one is to stand for it."""
    is_known_N = view.is_complete_N & ~view.lacks_value_N & (view.violations_N <= 0)
    found: Floats = np.where(is_known_N, view.losses_NM[:, 0], -np.inf)
    return found


def _points_KD(rows_KP: Floats, transform: _SearchSpaceTransform) -> Floats:
    """Return points as the optimizer knows them: each parameter in [0, 1]."""
    spaces = transform._search_space.items()
    external = [
        {name: each.to_external_repr(value) for (name, each), value in zip(spaces, row, strict=True)}
        for row in rows_KP.tolist()
    ]
    return np.array([transform.transform(params) for params in external])
