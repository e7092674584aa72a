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
    limit = bound(pruner, curves, standing.step, direction)
    if limit is None:
        return GO_ON
    if not direction.is_better(limit, standing.best):
        return GO_ON
    others = len(curves.values[standing.step])
    return stop(
        f"step {standing.step}: best so far {standing.best:.6g}, "
        f"{measure(pruner)} of {others} complete trials {limit:.6g}"
    )


def bound(pruner: MedianPruner | PercentilePruner, curves: Curves, step: int, direction: Direction) -> float | None:
    """Return what a trial is stopped for being worse than, at a step; None: there it is compared with nothing."""
    if step <= pruner.warmup_steps or curves.complete < max(1, pruner.startup_trials):
        return None
    others = curves.values.get(step, [])
    if not others or curves.reports[step] < pruner.min_trials:
        return None
    percent = _percent(pruner)
    return _percentile(others, percent if direction is Direction.MINIMIZE else 100 - percent)


def measure(pruner: MedianPruner | PercentilePruner) -> str:
    """Return what of the complete trials a trial is compared with."""
    percent = _percent(pruner)
    return "median" if percent == _MEDIAN else f"best {percent:g} %"


def _percent(pruner: MedianPruner | PercentilePruner) -> float:
    return pruner.percentile if isinstance(pruner, PercentilePruner) else _MEDIAN


def _percentile(ordered: list[float], percent: float) -> float:
    """Return what numpy.percentile interpolates, to the last bit."""
    position = (len(ordered) - 1) * (percent / 100)
    below = int(position)
    share = position - below
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    if share >= 0.5:  # noqa: PLR2004  # numpy goes out from the nearer end
        return high - (high - low) * (1 - share)
    return low + (high - low) * share
