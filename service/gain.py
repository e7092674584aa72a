"""What a sampler gained over chance. Decisions on values only."""

from collections.abc import Sequence

import numpy as np

from service.sampling import chosen
from service.storage.progress import EndedTrial
from trimtab.learned import Gain
from trimtab.samplers import (
    CoarseToFineSampler,
    GpSampler,
    Nsga2Sampler,
    Nsga3Sampler,
    Sampler,
    TpeSampler,
)
from trimtab.spec import StudySpec
from trimtab.states import Origin, TrialState

FEWEST_TRIALS = 5
"""Of either side: the median of fewer is anybody's guess."""

_RESAMPLES = 2000
"""Of the bootstrap: the ends of the interval then move by a few hundredths of its width (Efron, Tibshirani 1993)."""

_ENDS = (0.025, 0.975)


def gain(trials: Sequence[EndedTrial], spec: StudySpec) -> Gain:
    """Return the gain of the sampler over the control arm, as far as the trials that have ended tell."""
    if spec.control is None:
        return Gain(reason="the study has no control arm (control)")
    if len(spec.objectives) > 1:
        return Gain(reason="with several objectives no trial is better than another by one value")
    startup = startup_trials(chosen(spec).sampler)
    after = [trial for trial in trials if trial.origin is Origin.SAMPLED and (trial.sequence or 0) >= startup]
    sampled = _losses(after, spec)
    control = _losses([trial for trial in trials if trial.origin is Origin.CONTROL], spec)
    if min(len(sampled), len(control)) < FEWEST_TRIALS:
        reason = f"needs {FEWEST_TRIALS} trials of either side that ended with a value"
        return Gain(sampled=len(sampled), control=len(control), reason=reason)
    value = float(np.median(control) - np.median(sampled))
    low, high = _interval(sampled, control, seed=spec.sampler.seed)
    return Gain(value=value, low=low, high=high, sampled=len(sampled), control=len(control))


def startup_trials(sampler: Sampler) -> int:
    """Return how many trials a sampler chooses before it has anything to go by."""
    match sampler:
        case TpeSampler() | GpSampler():
            return sampler.startup_trials
        case Nsga2Sampler() | Nsga3Sampler():
            return sampler.population_size
        case CoarseToFineSampler():
            return sampler.round_trials or 0
        case _:
            return 0


def _losses(trials: Sequence[EndedTrial], spec: StudySpec) -> list[float]:
    sign = spec.objectives[0].direction.sign
    values = [_final(trial) for trial in trials]
    return [sign * value for value in values if value is not None]


def _final(trial: EndedTrial) -> float | None:
    match trial.state:
        case TrialState.COMPLETE:
            return trial.values[0] if trial.values else None
        case TrialState.PRUNED:
            return trial.last
        case _:
            return None


def _interval(sampled: Sequence[float], control: Sequence[float], *, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    medians = [np.median(rng.choice(losses, (_RESAMPLES, len(losses))), axis=1) for losses in (control, sampled)]
    low, high = np.quantile(medians[0] - medians[1], _ENDS)
    return float(low), float(high)
