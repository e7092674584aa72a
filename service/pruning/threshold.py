"""Stops a trial whose value is out of bounds, by Optuna's own pruner."""

import optuna

from service.pruning import stand_ins
from service.pruning.judgement import GO_ON, Judgement, Standing, stop
from trimtab.pruners import ThresholdPruner


def judge(pruner: ThresholdPruner, standing: Standing) -> Judgement:
    """Decide as `optuna.pruners.ThresholdPruner` does with `n_warmup_steps=warmup_steps + 1`."""
    theirs = optuna.pruners.ThresholdPruner(
        pruner.lower, pruner.upper, n_warmup_steps=pruner.warmup_steps + 1, interval_steps=pruner.interval_steps
    )
    if not theirs.prune(stand_ins.study(), stand_ins.trial(standing)):
        return GO_ON
    return stop(f"step {standing.step}: {_fault(pruner, standing.value)}")


def _fault(pruner: ThresholdPruner, value: float | None) -> str:
    if value is None:
        return "not finite"
    if pruner.lower is not None and value < pruner.lower:
        return f"{value:.6g}, below {pruner.lower:.6g}"
    return f"{value:.6g}, above {pruner.upper:.6g}"
