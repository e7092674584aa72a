"""Lets the best share of the trials that came to a rung go on to the next one, by Optuna's own pruner."""

import optuna
from optuna.pruners._successive_halving import _completed_rung_key

from service.pruning import stand_ins
from service.pruning.judgement import GO_ON, Judgement, Rungs, Standing
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


def judge(pruner: SuccessiveHalvingPruner, standing: Standing, rivals: list[Rungs], direction: Direction) -> Judgement:
    """Decide as `optuna.pruners.SuccessiveHalvingPruner` does.

    Args:
        pruner: How to decide.
        standing: The trial.
        rivals: The rungs of all other trials.
        direction: Which values are better.
    """
    if not reached(pruner, standing):
        return GO_ON
    rungs: dict[str, float] = {}
    study = stand_ins.study(direction=direction, rungs=rivals, written=rungs)
    if not _theirs(pruner).prune(study, stand_ins.trial(standing)):
        return Judgement(Decision.CONTINUE, rungs=rungs)
    return Judgement(Decision.STOP, f"step {standing.step}: {_fault(pruner, rungs, rivals, direction)}", rungs)


def _theirs(pruner: SuccessiveHalvingPruner) -> optuna.pruners.SuccessiveHalvingPruner:
    return optuna.pruners.SuccessiveHalvingPruner(
        min_resource=pruner.min_resource,
        reduction_factor=pruner.reduction_factor,
        min_early_stopping_rate=pruner.min_early_stopping_rate,
        bootstrap_count=pruner.bootstrap_count,
    )


def _fault(pruner: SuccessiveHalvingPruner, rungs: Rungs, rivals: list[Rungs], direction: Direction) -> str:
    if not rungs:
        return "not finite at a rung"
    name, value = list(rungs.items())[-1]
    there = sorted(
        [value, *(rival[name] for rival in rivals if name in rival)], reverse=direction is Direction.MAXIMIZE
    )
    rung = name.rpartition("_")[-1]
    if len(there) <= pruner.bootstrap_count:
        return f"{value:.6g} at rung {rung}, to which {len(there)} trials came; more than {pruner.bootstrap_count} must"
    kept = max(1, len(there) // pruner.reduction_factor)
    return f"{value:.6g} at rung {rung}, the best {kept} of {len(there)} trials there reached {there[kept - 1]:.6g}"
