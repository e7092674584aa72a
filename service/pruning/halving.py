"""Lets the best share of the trials that came to a rung go on to the next one."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from optuna.pruners._successive_halving import _completed_rung_key

from service.pruning.judgement import Judgement, Others, Standing
from trimtab.pruners import SuccessiveHalvingPruner
from trimtab.states import Decision, Direction


def reached(pruner: SuccessiveHalvingPruner, standing: Standing) -> list[str]:
    """Return the rungs, by Optuna's name of each, that this report may bring the trial to."""
    rung = standing.rungs
    names = []
    while standing.step >= pruner.min_resource * pruner.reduction_factor ** (pruner.min_early_stopping_rate + rung):
        names.append(_completed_rung_key(rung))
        rung += 1
    return names


def judge(
    pruner: SuccessiveHalvingPruner,
    standing: Standing,
    others: Others,
    direction: Direction,
    *,
    bracket_of: Callable[[int], int] = lambda _: 0,
) -> Judgement:
    """Decide as `optuna.pruners.SuccessiveHalvingPruner` does.

    Not by Optuna's own, which goes through all trials at each rung: a replay of many would take minutes.

    Args:
        pruner: How to decide.
        standing: The trial.
        others: All other trials.
        direction: Which values are better.
        bracket_of: The bracket of a trial: it is compared within its own.
    """
    rungs: dict[str, float] = {}
    for name in reached(pruner, standing):
        if standing.value is None:
            return Judgement(Decision.STOP, f"step {standing.step}: not finite at a rung")
        rungs[name] = standing.value
        fault = _fault(pruner, name, standing.value, others.at(name, standing.number, bracket_of), direction)
        if fault is not None:
            return Judgement(Decision.STOP, f"step {standing.step}: {fault}", rungs)
    return Judgement(Decision.CONTINUE, rungs=rungs)


def _fault(
    pruner: SuccessiveHalvingPruner, name: str, value: float, rivals: Sequence[float], direction: Direction
) -> str | None:
    """Return why a trial goes no further than this rung; None: it does. The values of its rivals ascend."""
    rung = name.rpartition("_")[-1]
    came = len(rivals) + 1
    if came <= pruner.bootstrap_count:
        return f"{value:.6g} at rung {rung}, to which {came} trials came; more than {pruner.bootstrap_count} must"
    kept = max(1, came // pruner.reduction_factor)
    is_minimized = direction is Direction.MINIMIZE
    better = bisect_left(rivals, value) if is_minimized else len(rivals) - bisect_right(rivals, value)
    if better < kept:
        return None
    bound = rivals[kept - 1] if is_minimized else rivals[-kept]
    return f"{value:.6g} at rung {rung}, the best {kept} of {came} trials there reached {bound:.6g}"
