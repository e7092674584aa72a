"""Stops a trial whose best value is worse than a percentile of the complete trials at its step; the median is one."""

from optuna.pruners._percentile import _is_first_in_interval_step

from service.curves import Curves
from service.pruning.judgement import GO_ON, Judgement, Standing, stop
from trimtab.pruners import MedianPruner, PercentilePruner
from trimtab.states import Direction

_MEDIAN = 50.0


def looks(pruner: MedianPruner | PercentilePruner, standing: Standing) -> bool:
    """Return whether the trial is looked at, at this step."""
    if standing.step <= pruner.warmup_steps:
        return False
    steps = {standing.previous_step: None}.keys()
    return _is_first_in_interval_step(standing.step, steps, pruner.warmup_steps + 1, pruner.interval_steps)


def judge(
    pruner: MedianPruner | PercentilePruner, standing: Standing, curves: Curves, direction: Direction
) -> Judgement:
    """Decide as `optuna.pruners.PercentilePruner` does with `n_warmup_steps=warmup_steps + 1`."""
    if not looks(pruner, standing) or curves.complete == 0 or curves.complete < pruner.startup_trials:
        return GO_ON
    if standing.best is None:
        return stop(f"step {standing.step}: no finite value so far")
    others = curves.values.get(standing.step, [])
    if not others or curves.reports[standing.step] < pruner.min_trials:
        return GO_ON
    percent = pruner.percentile if isinstance(pruner, PercentilePruner) else _MEDIAN
    is_minimized = direction is Direction.MINIMIZE
    bound = _percentile(others, percent if is_minimized else 100 - percent)
    is_worse = standing.best > bound if is_minimized else standing.best < bound
    if not is_worse:
        return GO_ON
    measure = "median" if percent == _MEDIAN else f"best {percent:g} %"
    return stop(
        f"step {standing.step}: best so far {standing.best:.6g}, {measure} of {len(others)} complete trials {bound:.6g}"
    )


def _percentile(ordered: list[float], percent: float) -> float:
    """Return what numpy.percentile interpolates, to the last bit."""
    position = (len(ordered) - 1) * (percent / 100)
    below = int(position)
    share = position - below
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    if share >= 0.5:  # noqa: PLR2004  # numpy goes out from the nearer end
        return high - (high - low) * (1 - share)
    return low + (high - low) * share
