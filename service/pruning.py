"""Decides whether a trial goes on. Pure: the same report on the same curves gets the same verdict."""

from dataclasses import dataclass

from service.curves import Curves
from trimtab.pruners import MedianPruner, NoPruner
from trimtab.states import Decision, Direction


@dataclass(frozen=True)
class Judgement:
    """A decision, and why a trial is stopped."""

    decision: Decision
    reason: str | None = None


GO_ON = Judgement(Decision.CONTINUE)


def looks_at_others(pruner: MedianPruner | NoPruner, step: int) -> bool:
    """Return whether a decision at this step depends on the curves of other trials."""
    return isinstance(pruner, MedianPruner) and step > pruner.warmup_steps


def judge(
    pruner: MedianPruner | NoPruner, curves: Curves, *, step: int, best: float | None, direction: Direction
) -> Judgement:
    """Decide on a trial that has just reported `step`.

    Agrees with `optuna.pruners.MedianPruner(startup_trials, n_warmup_steps=warmup_steps + 1)` decision by decision.

    Args:
        pruner: How to decide.
        curves: Of the complete trials of the study.
        step: The step of the report, from 1.
        best: The best value that the trial has reported up to here; None: not one of them was finite.
        direction: Which values are better.
    """
    if isinstance(pruner, NoPruner) or not looks_at_others(pruner, step):
        return GO_ON
    if curves.complete == 0 or curves.complete < pruner.startup_trials:
        return GO_ON
    if best is None:
        return Judgement(Decision.STOP, f"step {step}: no finite value so far")
    others = curves.values.get(step, [])
    if not others:
        return GO_ON
    median = _median(others)
    is_worse = best > median if direction is Direction.MINIMIZE else best < median
    if not is_worse:
        return GO_ON
    return Judgement(
        Decision.STOP, f"step {step}: best so far {best:.6g}, median of {len(others)} complete trials {median:.6g}"
    )


def _median(ordered: list[float]) -> float:
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    # As numpy.percentile interpolates, to the last bit.
    low, high = ordered[middle - 1], ordered[middle]
    return high - (high - low) * 0.5
