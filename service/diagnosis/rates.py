"""Findings on all the trials of a study: where the good learning rates lie, and how trials fail."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from service.diagnosis.case import Case
from service.diagnosis.conditions import conditions, figures, has_learned_nothing
from service.diagnosis.curves import FEWEST_STEPS, fall
from service.sampling.scales import Number, Side, interval, position, side
from trimtab.diagnosis import Condition, Finding, FindingCode
from trimtab.space import Categorical, Float, Scale
from trimtab.states import Outcome

Point = tuple[float, float]
"""A learning rate, and what the trial came to: less is better."""

FEWEST_FAILED = 3
"""Trials; fewer are chance."""

HOPELESS = 4
"""Where the best trial has learned nothing one in so many that diverge says the same as most of them."""

FEWEST_RATES = 8
"""Trials that a trend is read from: for so few, chance alone reaches TREND in about one of twenty studies."""

FEWEST_CHOICES = 3
"""Learning rates, where they are searched among choices: of two the better one is always at an end."""

TREND = 0.7
"""Rank correlation of learning rate and loss from which on the one is said to follow the other."""

FALLING = 0.03
"""Of the training loss: by so much of it the last fifth of a training lies below the fifth before."""

OUTER = 0.25
"""Of the range: beside a trend, the best trial has to lie in that part of it, and be better than all others by more
than the tolerance: where learning rates further in do as well, there is nothing to be found beyond the bound."""


def learning_rate_on_bound(case: Case) -> Finding | None:
    """Find learning rates that are the better the nearer they lie to an end of their range."""
    parameter = _range(case.spec.declared.root.get("learning_rate"))
    best = case.params.get("learning_rate")
    if parameter is None or not isinstance(best, int | float):
        return None
    if not parameter.contains(best):
        return None
    pressed = next((found for points in _measures(case) if (found := _pressed(case, parameter, best, points))), None)
    if pressed is None:
        return None
    end, trend = pressed
    bound = parameter.low if end == "low" else parameter.high
    text = (
        f"the best learning rate, {best:.3g}, lies at the {end} end of its range, {parameter.low:g} to "
        f"{parameter.high:g}, and trials are the better the nearer they are to it (rank correlation "
        f"{trend:.2f}): search beyond {bound:g}"
    )
    seen: dict[str, float | str] = {"learning_rate": float(best), "side": end, "bound": bound, "trend": trend}
    return Finding(code=FindingCode.LEARNING_RATE_ON_BOUND, figures=seen, text=text)


def diverging(case: Case) -> Finding | None:
    """Find a study of which most trials diverge, or so many that the others, which learned nothing, are no better."""
    few = has_learned_nothing(case) and 0 < _ended(case) <= HOPELESS * case.outcomes.get(Outcome.DIVERGED, 0)
    if not few and not _most_are(case, Outcome.DIVERGED):
        return None
    remedy = "smaller learning rates, and features and first weights of the right scale, keep the loss finite"
    return _failing(case, Outcome.DIVERGED, FindingCode.DIVERGING, remedy)


def out_of_memory(case: Case) -> Finding | None:
    """Find a study of which most trials run out of memory."""
    if not _most_are(case, Outcome.OUT_OF_MEMORY):
        return None
    remedy = "smaller batches or networks fit, or a device with more memory"
    return _failing(case, Outcome.OUT_OF_MEMORY, FindingCode.OUT_OF_MEMORY, remedy)


def _range(parameter: Number | Categorical | None) -> Number | None:
    """Return the range in which a parameter is searched; of choices the one that they span; None: there is none."""
    if not isinstance(parameter, Categorical):
        return parameter
    numbers = [one for one in parameter.choices if isinstance(one, int | float) and one > 0]
    if len(numbers) < max(FEWEST_CHOICES, len(parameter.choices)):
        return None
    return Float(low=min(numbers), high=max(numbers), scale=Scale.LOG)


def _most_are(case: Case, outcome: Outcome) -> bool:
    failed = case.outcomes.get(outcome, 0)
    return failed >= FEWEST_FAILED and 2 * failed > _ended(case)


def _ended(case: Case) -> int:
    return sum(case.outcomes.values())


def _failing(case: Case, outcome: Outcome, code: FindingCode, remedy: str) -> Finding:
    failed, ended = case.outcomes[outcome], _ended(case)
    text = f"{failed} of {ended} trials that ended: {outcome.replace('_', ' ')}; {remedy}"
    return Finding(code=code, figures={"failed": float(failed), "ended": float(ended)}, text=text)


def _measures(case: Case) -> Iterator[Sequence[Point]]:
    """Give what learning rates are judged by: the objective, or what training has left of the loss.

    The latter where bias is high and the training loss still falls: so early in its training, it is mostly chance which
    trial began with the least error.
    """
    yield [(rate.value, rate.loss) for rate in case.rates]
    found = figures(case)
    losses = [point["training_loss"] for point in case.curve if "training_loss" in point]
    is_falling = len(losses) >= FEWEST_STEPS and fall(losses) > FALLING * losses[-1]
    if is_falling and found and Condition.HIGH_BIAS in conditions(found):
        yield [(rate.value, rate.left) for rate in case.rates if rate.left is not None]


def _pressed(case: Case, parameter: Number, best: float, points: Sequence[Point]) -> tuple[Side, float] | None:
    """Return the end of its range that good learning rates press against, and the trend; None: neither."""
    inside = [(value, loss) for value, loss in points if parameter.contains(value)]
    if len(inside) < FEWEST_RATES:
        return None
    trend = rank_correlation(*zip(*inside, strict=True))
    end: Side = "low" if trend > 0 else "high"
    # As close as an alarm asks for, half of the trend is enough.
    is_near = _distance(parameter, best, end) <= OUTER and abs(trend) >= TREND
    is_on = side(parameter, best) == end and abs(trend) >= TREND / 2
    measured = figures(case)
    least = measured.tolerance if measured else 0.0
    return (end, trend) if (is_near or is_on) and _gain(parameter, inside, best, end) > least else None


def _gain(parameter: Number, points: Sequence[Point], best: float, end: Side) -> float:
    """Return how much better the best trial of the outer part at that end is than the best of all others.

    Less than anything where trials still further out than the best one are worse than those further in: then the
    best learning rates lie inside.
    """
    edge = _distance(parameter, best, end)
    distances = [(_distance(parameter, value, end), loss) for value, loss in points]
    rest = min((loss for distance, loss in distances if distance > OUTER), default=math.inf)
    beyond = [loss for distance, loss in distances if distance < edge]
    outer = min((loss for distance, loss in distances if distance <= OUTER), default=math.inf)
    return rest - outer if not beyond or min(beyond) < rest else -math.inf


def _distance(parameter: Number, value: float, end: Side) -> float:
    """Return how far a value lies from an end of its range, as a share of the range on its scale."""
    place = _place(parameter, value)
    return place if end == "low" else 1 - place


def _place(parameter: Number, value: float) -> float:
    """Return where a value lies in its range, on its scale: 0 at the low end, 1 at the high one."""
    whole = interval(parameter)
    return (position(parameter, value) - whole.low) / whole.width if whole.width else 0.5


def rank_correlation(ones: Sequence[float], others: Sequence[float]) -> float:
    """Return Spearman's rank correlation; 0 where there is none to tell."""
    first, second = _ranks(ones), _ranks(others)
    first, second = first - first.mean(), second - second.mean()
    spread = math.sqrt(float(first @ first) * float(second @ second))
    return float(first @ second) / spread if spread else 0.0


def _ranks(figures: Sequence[float]) -> NDArray[np.float64]:
    """Return the rank of each figure; those that are equal share their mean."""
    _, which, counts = np.unique(np.array(figures), return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts + 1) / 2)[which]
    return ranks
