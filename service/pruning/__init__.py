"""Decides whether a trial goes on. Pure: the same report on the same record gets the same judgement."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from service.curves import Curves
from service.pruning import halving, hyperband, patient, percentile, threshold, wilcoxon
from service.pruning.judgement import GO_ON, Judgement, Others, Rungs, Standing
from trimtab.pruners import (
    HyperbandPruner,
    MedianPruner,
    NoPruner,
    PatientPruner,
    PercentilePruner,
    Pruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
    Wrapped,
)
from trimtab.states import Decision, Direction

__all__ = [
    "GO_ON",
    "Bound",
    "Judgement",
    "Others",
    "Rungs",
    "Standing",
    "bound",
    "has_bound",
    "judge",
    "looks_at_best",
    "looks_at_curve",
    "looks_at_ended",
    "looks_at_rungs",
    "reached_rungs",
]


def judge(pruner: Pruner, standing: Standing, others: Others, *, direction: Direction) -> Judgement:
    """Decide on a trial that has just reported.

    Agrees with Optuna's pruner of that name, decision by decision.

    Args:
        pruner: How to decide; resolved.
        standing: The trial.
        others: What it is compared with.
        direction: Which values are better.
    """
    if not isinstance(pruner, PatientPruner):
        return _judge(pruner, standing, others, direction)
    judgement = patient.judge(pruner, standing, direction)
    if pruner.wrapped_pruner is None or judgement.decision is Decision.CONTINUE:
        return judgement
    return _judge(pruner.wrapped_pruner, standing, others, direction)


def _judge(pruner: Wrapped | NoPruner, standing: Standing, others: Others, direction: Direction) -> Judgement:
    match pruner:
        case MedianPruner() | PercentilePruner():
            judgement = percentile.judge(pruner, standing, others.curves, direction)
        case SuccessiveHalvingPruner():
            judgement = halving.judge(pruner, standing, others, direction)
        case HyperbandPruner():
            judgement = hyperband.judge(pruner, standing, others, direction)
        case ThresholdPruner():
            judgement = threshold.judge(pruner, standing)
        case WilcoxonPruner():
            judgement = wilcoxon.judge(pruner, standing, others.curves.best, direction)
        case NoPruner():
            judgement = GO_ON
        case _:
            assert_never(pruner)
    return judgement


@dataclass(frozen=True)
class Bound:
    """What trials are stopped for being worse than.

    Args:
        measure: Of the complete trials, in words.
        values: By step, ascending.
    """

    measure: str
    values: Mapping[int, float]


def has_bound(pruner: Pruner) -> bool:
    """Return whether a trial is compared with all complete ones at its step."""
    return isinstance(_inner(pruner), MedianPruner | PercentilePruner)


def bound(pruner: Pruner, curves: Curves, *, direction: Direction) -> Bound | None:
    """Return what the best value of a trial so far is compared with at each step; None: with nothing of the kind."""
    inner = _inner(pruner)
    if not isinstance(inner, MedianPruner | PercentilePruner):
        return None
    limits = {step: percentile.bound(inner, curves, step, direction) for step in sorted(curves.values)}
    return Bound(percentile.measure(inner), {step: limit for step, limit in limits.items() if limit is not None})


def looks_at_ended(pruner: Pruner, step: int) -> bool:
    """Return whether a decision at this step depends on the curves of trials that have ended."""
    inner = _inner(pruner)
    if isinstance(inner, MedianPruner | PercentilePruner):
        return step > inner.warmup_steps
    return isinstance(inner, WilcoxonPruner)


def looks_at_best(pruner: Pruner) -> bool:
    """Return whether, of the trials that have ended, only the best one is looked at."""
    return isinstance(_inner(pruner), WilcoxonPruner)


def looks_at_curve(pruner: Pruner) -> bool:
    """Return whether all reports of the trial itself are looked at."""
    return isinstance(pruner, PatientPruner) or isinstance(_inner(pruner), WilcoxonPruner)


def looks_at_rungs(pruner: Pruner) -> bool:
    """Return whether trials are compared at rungs."""
    return isinstance(_inner(pruner), SuccessiveHalvingPruner | HyperbandPruner)


def reached_rungs(pruner: Pruner, standing: Standing) -> list[str]:
    """Return the rungs, by Optuna's name of each, that this report may bring the trial to."""
    match inner := _inner(pruner):
        case SuccessiveHalvingPruner():
            return halving.reached(inner, standing)
        case HyperbandPruner():
            return hyperband.reached(inner, standing)
        case _:
            return []


def _inner(pruner: Pruner) -> Pruner | None:
    return pruner.wrapped_pruner if isinstance(pruner, PatientPruner) else pruner
