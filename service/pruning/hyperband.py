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
    return halving.reached(_brackets(pruner, standing.study).halving(standing.number), standing)


def judge(pruner: HyperbandPruner, standing: Standing, others: Others, direction: Direction) -> Judgement:
    """Decide as `optuna.pruners.HyperbandPruner` does."""
    brackets = _brackets(pruner, standing.study)
    bracket = brackets.of(standing.number)
    judgement = halving.judge(brackets.halving(standing.number), standing, others, direction, bracket_of=brackets.of)
    if judgement.decision is Decision.CONTINUE:
        return judgement
    return replace(judgement, reason=f"{judgement.reason} (bracket {bracket} of {brackets.count})")


class _Brackets:
    """The brackets of a study, and in which each trial is."""

    def __init__(self, pruner: HyperbandPruner, study: str) -> None:
        assert pruner.max_resource is not None, "a resolved spec has it"
        self._theirs = optuna.pruners.HyperbandPruner(
            pruner.min_resource, pruner.max_resource, pruner.reduction_factor, pruner.bootstrap_count
        )
        self._study = stand_ins.study(study)
        self._theirs._try_initialization(self._study)
        self.count = self._theirs._n_brackets or 0
        self._halvings = [_halving(pruner, bracket) for bracket in range(self.count)]
        self._known: dict[int, int] = {}

    def of(self, number: int) -> int:
        """Return the bracket of a trial."""
        if number not in self._known:
            trial = stand_ins.trial(Standing(self._study.study_name, number, step=1, value=None))
            self._known[number] = self._theirs._get_bracket_id(self._study, trial)
        return self._known[number]

    def halving(self, number: int) -> SuccessiveHalvingPruner:
        """Return what decides on a trial within its bracket."""
        return self._halvings[self.of(number)]


def _halving(pruner: HyperbandPruner, bracket: int) -> SuccessiveHalvingPruner:
    return SuccessiveHalvingPruner(
        name="successive_halving",
        min_resource=pruner.min_resource,
        reduction_factor=pruner.reduction_factor,
        min_early_stopping_rate=bracket,
        bootstrap_count=pruner.bootstrap_count,
    )


@lru_cache(maxsize=256)
def _brackets(pruner: HyperbandPruner, study: str) -> _Brackets:
    return _Brackets(pruner, study)
