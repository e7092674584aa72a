"""Findings on all the trials of a study: where the good learning rates lie, and how trials fail."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.case import Case, Rate
from service.sampling.scales import Number, interval, position, side
from trimtab.diagnosis import Finding, FindingCode
from trimtab.space import Categorical
from trimtab.states import Outcome

FEWEST_FAILED = 3
"""Trials; fewer are chance."""

FEWEST_RATES = 8
"""Trials that a trend is read from: for so few, chance alone reaches TREND in about one of twenty studies."""

TREND = 0.7
"""Rank correlation of learning rate and loss from which on the one is said to follow the other."""

OUTER = 0.25
"""Of the range: beside a trend, the best trial has to lie in that part of it."""


def learning_rate_on_bound(case: Case) -> Finding | None:
    """Find learning rates that are the better the nearer they lie to an end of their range."""
    parameter = case.spec.declared.root.get("learning_rate")
    best = case.params.get("learning_rate")
    if parameter is None or isinstance(parameter, Categorical) or not isinstance(best, int | float):
        return None
    if case.trial is None or not parameter.contains(best):
        return None
    trend = _trend(parameter, case.rates)
    end = _end(parameter, float(best), trend, len(case.rates))
    if end is None:
        return None
    bound = parameter.low if end == "low" else parameter.high
    text = (
        f"the best learning rate, {best:.3g}, lies at the {end} end of its range, {parameter.low:g} to "
        f"{parameter.high:g}, and trials are the better the nearer they are to it (rank correlation "
        f"{trend:.2f}): search beyond {bound:g}"
    )
    figures: dict[str, float | str] = {"learning_rate": float(best), "side": end, "bound": bound, "trend": trend}
    return Finding(code=FindingCode.LEARNING_RATE_ON_BOUND, figures=figures, text=text)


def diverging(case: Case) -> Finding | None:
    """Find a study of which most trials diverge."""
    return _failing(
        case,
        Outcome.DIVERGED,
        FindingCode.DIVERGING,
        "smaller learning rates, and features and first weights of the right scale, keep the loss finite",
    )


def out_of_memory(case: Case) -> Finding | None:
    """Find a study of which most trials run out of memory."""
    return _failing(
        case,
        Outcome.OUT_OF_MEMORY,
        FindingCode.OUT_OF_MEMORY,
        "smaller batches or networks fit, or a device with more memory",
    )


def _failing(case: Case, outcome: Outcome, code: FindingCode, remedy: str) -> Finding | None:
    failed, ended = case.outcomes.get(outcome, 0), sum(case.outcomes.values())
    if failed < FEWEST_FAILED or 2 * failed <= ended:
        return None
    text = f"{failed} of {ended} trials that ended: {outcome.replace('_', ' ')}; {remedy}"
    return Finding(code=code, figures={"failed": float(failed), "ended": float(ended)}, text=text)


def _end(parameter: Number, best: float, trend: float, trials: int) -> str | None:
    """Return the end of its range that good learning rates press against; None: neither."""
    if trials < FEWEST_RATES:
        return None
    whole = interval(parameter)
    place = (position(parameter, best) - whole.low) / whole.width if whole.width else 0.5
    if trend <= -TREND and place >= 1 - OUTER:
        return "high"
    if trend >= TREND and place <= OUTER:
        return "low"
    # As close as an alarm asks for, half of the trend is enough.
    on = side(parameter, best)
    return on if on and (trend if on == "low" else -trend) >= TREND / 2 else None


def _trend(parameter: Number, rates: Sequence[Rate]) -> float:
    """Return the rank correlation (Spearman) of learning rates and losses; 0 where there is none to tell."""
    inside = [rate for rate in rates if parameter.contains(rate.value)]
    if len(inside) < FEWEST_RATES:
        return 0.0
    values, losses = (_ranks([getattr(rate, name) for rate in inside]) for name in ("value", "loss"))
    values, losses = values - values.mean(), losses - losses.mean()
    spread = math.sqrt(float(values @ values) * float(losses @ losses))
    return float(values @ losses) / spread if spread else 0.0


def _ranks(figures: Sequence[float]) -> NDArray[np.float64]:
    """Return the rank of each figure; those that are equal share their mean."""
    _, which, counts = np.unique(np.array(figures), return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts + 1) / 2)[which]
    return ranks
