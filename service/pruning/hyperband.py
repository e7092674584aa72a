"""Successive halving in brackets: a trial's number says in which one it is, by Optuna's own pruner."""

from dataclasses import replace
from functools import lru_cache

import optuna

from service.pruning import halving, stand_ins
from service.pruning.judgement import Judgement, Others, Standing
from trimtab.pruners import HyperbandPruner, SuccessiveHalvingPruner
from trimtab.states import Decision, Direction


def reached(pruner: HyperbandPruner, standing: Standing) -> list[str]:
    """Return the rungs of its bracket, by Optuna's name of each, that this report may bring the trial to."""
    return halving.reached(_halving(pruner, _bracket(pruner, standing.study, standing.number)), standing)


def judge(pruner: HyperbandPruner, standing: Standing, others: Others, direction: Direction) -> Judgement:
    """Decide as `optuna.pruners.HyperbandPruner` does."""
    bracket = _bracket(pruner, standing.study, standing.number)
    rivals = [rungs for number, rungs in others.rungs.items() if _bracket(pruner, standing.study, number) == bracket]
    judgement = halving.judge(_halving(pruner, bracket), standing, rivals, direction)
    if judgement.decision is Decision.CONTINUE:
        return judgement
    return replace(judgement, reason=f"{judgement.reason} (bracket {bracket} of {_theirs(pruner)._n_brackets})")


def _halving(pruner: HyperbandPruner, bracket: int) -> SuccessiveHalvingPruner:
    return SuccessiveHalvingPruner(
        name="successive_halving",
        min_resource=pruner.min_resource,
        reduction_factor=pruner.reduction_factor,
        min_early_stopping_rate=bracket,
        bootstrap_count=pruner.bootstrap_count,
    )


@lru_cache(maxsize=65_536)
def _bracket(pruner: HyperbandPruner, study: str, number: int) -> int:
    standing = Standing(study, number, step=1, value=None)
    return _theirs(pruner)._get_bracket_id(stand_ins.study(study), stand_ins.trial(standing))


@lru_cache(maxsize=256)
def _theirs(pruner: HyperbandPruner) -> optuna.pruners.HyperbandPruner:
    assert pruner.max_resource is not None, "a resolved spec has it"
    theirs = optuna.pruners.HyperbandPruner(
        pruner.min_resource, pruner.max_resource, pruner.reduction_factor, pruner.bootstrap_count
    )
    theirs._try_initialization(stand_ins.study())
    return theirs
