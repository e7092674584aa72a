"""Quasi-Monte Carlo: the n-th trial that is sampled gets the n-th point of a scrambled sequence.

The space is known beforehand: the first point is of the sequence already, where Optuna's own sampler, which has to
wait and see what a trial asks for, draws it at random.

Source: Owen 1998, doi:10.1006/jcom.1998.0487; scipy.stats.qmc; optuna.samplers.QMCSampler of Optuna 5.
"""

import threading
from functools import lru_cache
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import QMCSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from service.history import Floats
from service.sampling.view import View

_BLOCK = 64
"""Points that are made at once: to go on from a point of the sequence costs more than the point. A power of two."""

# SciPy's Sobol engines share what they initialise.
_lock = threading.Lock()


class SequenceSampler(QMCSampler):
    """Optuna's QMCSampler for one trial, whose place in the sequence is known.

    Args:
        view: Of the study; only its space matters.
        kind: `sobol` or `halton`.
        study_seed: Of the scrambling.
        seed: Of the parameters that have a condition: they are drawn at random.
        sequence: The trial is the n-th that is sampled, from 0.
    """

    def __init__(self, view: View, *, kind: str, study_seed: int, seed: int, sequence: int) -> None:
        # Around the warning, for each trial, that the sampler is experimental in Optuna: a test compares its points.
        begin = QMCSampler.__init__.__wrapped__  # type: ignore[attr-defined]  # functools.wraps leaves it
        begin(self, qmc_type=kind, scramble=True, seed=seed, warn_independent_sampling=False)
        self._view = view
        self._study_seed = study_seed
        self._sequence = sequence

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return the parameters that every point has, in the order of the space, but those of a single value."""
        found = {d.stored_name: d.distribution for d in self._view.dimensions if d.parameter.when is None}
        return {name: each for name, each in found.items() if not each.single()}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return a value at random."""
        return self._independent_sampler.sample_independent(study, trial, param_name, param_distribution)

    def _sample_qmc(self, study: Study, search_space: dict[str, BaseDistribution]) -> Floats:
        block, row = divmod(self._sequence, _BLOCK)
        return _points(self._qmc_type, len(search_space), self._study_seed, block)[row : row + 1]


@lru_cache(maxsize=64)
def _points(kind: str, parameters: int, seed: int, block: int) -> Floats:
    """Return the points of a block of a sequence in the unit cube, a row each."""
    from scipy.stats import qmc  # noqa: PLC0415  # takes a second, which only such a study need wait

    engines = {"sobol": qmc.Sobol, "halton": qmc.Halton}
    with _lock:
        engine = engines[kind](parameters, scramble=True, seed=seed)
        if block:
            engine.fast_forward(block * _BLOCK)
        found: Floats = engine.random(_BLOCK)
    return found
