"""From coarse to fine: where the good trials of one round lie becomes the space of the next.

    round 0   |------------x----x--xx-------x--|       the first space
    round 1              |----x-xx--x---|              around the best share, a little wider
    round 2                 |--xx-x-|

Decisions on values only; who asks when, and where rounds are kept, is the callers' business.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.sampling.scales import Interval, Number, Side, highest, interval, position, ranged, reach, side
from trimtab.message import FlatParams, Scalar
from trimtab.protocol import Alarm
from trimtab.samplers import CoarseToFineSampler
from trimtab.space import Categorical, Parameter, Space


@dataclass(frozen=True)
class Narrowed:
    """The space of the next round, and what there is to say about it."""

    space: Space
    alarms: Sequence[Alarm]


def round_of(sampler: CoarseToFineSampler, sequence: int) -> int:
    """Return in which round, from 0, the n-th trial is that is sampled, from 0. The last round has no end."""
    assert sampler.round_trials is not None, "resolved"
    return min(sequence // sampler.round_trials, sampler.rounds - 1)


def place_in_round(sampler: CoarseToFineSampler, sequence: int) -> int:
    """Return which trial of its round, from 0, the n-th is that is sampled, from 0."""
    assert sampler.round_trials is not None, "resolved"
    return sequence - round_of(sampler, sequence) * sampler.round_trials


def narrowed(
    sampler: CoarseToFineSampler,
    *,
    first: Space,
    current: Space,
    ranked: Sequence[FlatParams],
    allowed: Mapping[str, Parameter],
) -> Narrowed:
    """Return the space of the next round.

    Args:
        sampler: Its settings.
        first: The space of round 0.
        current: The space of the round that is over.
        ranked: All trials that anything can be learned from, of whatever round, the best first.
        allowed: Every value that the task can take, for those parameters that have limits.
    """
    inside = [params for params in ranked if current.contains(params)]
    good = inside[: max(math.ceil(sampler.share * len(inside)), 2)]
    space: dict[str, Parameter] = {}
    alarms: list[Alarm] = []
    for name in first:
        before = current[name] if name in current else first[name]
        values = [params[name] for params in good if name in params]
        after, alarm = _next(name, first[name], before, values, zoom=sampler.zoom, allowed=allowed.get(name))
        if possible := _with_conditions(after, space):
            space[name] = possible
            alarms += [alarm] if alarm else []
    return Narrowed(Space(space), alarms)


def _with_conditions(parameter: Parameter, space: Mapping[str, Parameter]) -> Parameter | None:
    """Return the parameter with those of its conditions that can still hold; None if they cannot."""
    if parameter.when is None:
        return parameter
    when = {
        parent: tuple(value for value in values if parent in space and space[parent].contains(value))
        for parent, values in parameter.when.items()
    }
    return parameter.model_copy(update={"when": when}) if all(when.values()) else None


def _next(
    name: str, first: Parameter, before: Parameter, values: Sequence[Scalar], *, zoom: float, allowed: Parameter | None
) -> tuple[Parameter, Alarm | None]:
    """Return a parameter as the next round has it. What none of the good trials has teaches nothing about it."""
    before = before.model_copy(update={"when": first.when})
    if not values:
        return before, None
    if isinstance(first, Categorical) or isinstance(before, Categorical):
        return _chosen(before, values), None
    numbers = [float(value) for value in values]
    limits = None if allowed is None or isinstance(allowed, Categorical) else allowed
    return _moved(name, first, before, numbers, zoom=zoom, allowed=limits)


def _chosen(before: Parameter, values: Sequence[Scalar]) -> Parameter:
    assert isinstance(before, Categorical), "the type of a parameter never changes"
    return before.model_copy(update={"choices": tuple(choice for choice in before.choices if choice in values)})


def _moved(
    name: str, first: Number, before: Number, values: Sequence[float], *, zoom: float, allowed: Number | None
) -> tuple[Number, Alarm | None]:
    wanted = _around(before, values, zoom=zoom)
    low, high = min(first.low, before.low), max(highest(first), highest(before))
    on = side(before, values[0])
    if on is None:
        return _ranged(first, before, wanted, values[0], low=low, high=high), None
    # Beyond the bound as much again as is kept on this side of it.
    is_outermost = (before.low == low) if on == "low" else (highest(before) == high)
    if is_outermost:
        farthest = reach(first, allowed)
        low, high = (farthest[0], high) if on == "low" else (low, farthest[1])
    after = _ranged(first, before, _beyond(before, wanted, on), values[0], low=low, high=high)
    return after, _alarm(name, before, after, on, values[0]) if is_outermost else None


def _ranged(first: Number, before: Number, wanted: Interval, best: float, *, low: float, high: float) -> Number:
    """Return the parameter with the range that is wanted; as it was, if there is no such range around the best."""
    after = ranged(first, wanted, low=low, high=high)
    return after if after and after.low <= best <= after.high else before


def _around(before: Number, values: Sequence[float], *, zoom: float) -> Interval:
    """Return where the values lie, wider by the mean distance of neighbours; at least the range before / `zoom`.

    So far, on average, do random points of a range stay away from its ends.
    """
    at = [position(before, value) for value in values]
    low, high = min(at), max(at)
    if len(at) > 1:
        margin = (high - low) / (len(at) - 1)
        low, high = low - margin, high + margin
    lacking = max(interval(before).width / zoom - (high - low), 0.0) / 2
    return Interval(low - lacking, high + lacking)


def _beyond(before: Number, wanted: Interval, on: Side) -> Interval:
    whole = interval(before)
    if on == "low":
        return Interval(2 * whole.low - wanted.high, wanted.high)
    return Interval(wanted.low, 2 * whole.high - wanted.low)


def _alarm(name: str, before: Number, after: Number, on: Side, value: float) -> Alarm:
    bound, moved = (before.low, after.low) if on == "low" else (highest(before), highest(after))
    text = f"the best value of {name}, {value:g}, sits on the {on} end of its range"
    end = f"it is widened from {bound:g} to {moved:g}" if moved != bound else f"it cannot be widened beyond {bound:g}"
    return Alarm(code="best_on_bound", parameter=name, side=on, value=value, text=f"{text}: {end}")
