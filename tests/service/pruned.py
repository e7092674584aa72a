"""Plays histories of a study twice: as Optuna's pruner decides, and as ours does."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import optuna
from optuna.trial import FrozenTrial, TrialState

from service import pruning
from service.curves import Curves
from service.pruning import Judgement, Others, Standing
from trimtab.pruners import Pruner
from trimtab.states import Decision, Direction

Curve = dict[int, float]
NAME = "study"
STEPS = 12
_ENDS = [*[TrialState.COMPLETE] * 8, TrialState.FAIL, TrialState.PRUNED]


@dataclass
class Running:
    """A trial that is on its way in both studies.

    Args:
        trial: Optuna's.
        curve: All that it will report.
        end: Its state at the end, if it is not stopped before.
    """

    trial: optuna.Trial
    curve: Curve
    end: TrialState
    reported: Curve = field(default_factory=dict)


class Played:
    """One history: trials that run side by side, report in any order, end in any state."""

    def __init__(self, theirs: optuna.pruners.BasePruner, ours: Pruner, direction: Direction, seed: int) -> None:
        self.rng = np.random.RandomState(seed)
        self.ours = ours
        self.direction = direction
        sampler = optuna.samplers.RandomSampler(seed=0)
        self.study = optuna.create_study(
            study_name=NAME, direction=optuna.study.StudyDirection[direction.name], pruner=theirs, sampler=sampler
        )
        self.curves = Curves()
        self.rungs: dict[int, dict[str, float]] = {}
        self.best: float | None = None

    is_mean = False
    """Whether our pruner is told the means so far of what Optuna's is told."""

    def stored(self, curve: Curve) -> dict[int, float | None]:
        """Return a curve as our pruner is told it."""
        return as_stored(curve)

    def decisions(self, trials: int, side_by_side: int) -> Iterator[tuple[bool, Judgement]]:
        """Yield for each report what Optuna's pruner decides, and what ours says."""
        running: list[Running] = []
        begun = 0
        while begun < trials or running:
            if begun < trials and len(running) < side_by_side:
                running.append(self._begin())
                begun += 1
            one = running[self.rng.randint(len(running))]
            theirs, judgement = self._report(one)
            yield theirs, judgement
            is_over = theirs or len(one.reported) == len(one.curve)
            if is_over:
                running.remove(one)
                self._end(one, is_pruned=theirs)

    def _begin(self) -> Running:
        steps = np.flatnonzero(self.rng.rand(STEPS) < 0.85) + 1
        steps = steps if len(steps) else np.array([1])
        shift, slope = self.rng.choice([0.0, 0.2, 0.4]), self.rng.choice([0.0, 0.05])
        noise = self.rng.choice([0.1, 0.2, self.rng.rand(), self.rng.rand() / 3], size=len(steps))
        values = np.where(self.rng.rand(len(steps)) < self.rng.choice([0.0, 0.05]), math.nan, noise + shift)
        curve = {int(step): float(value - slope * step) for step, value in zip(steps, values, strict=True)}
        return Running(self.study.ask(), curve, _ENDS[self.rng.randint(len(_ENDS))])

    def _report(self, one: Running) -> tuple[bool, Judgement]:
        step = sorted(one.curve)[len(one.reported)]
        previous = max(one.reported, default=0)
        one.reported[step] = one.curve[step]
        judgement = self._judged(one, step, previous)
        one.trial.report(one.curve[step], step)
        return one.trial.should_prune(), judgement

    def _judged(self, one: Running, step: int, previous: int) -> Judgement:
        """Return what our pruner says; note the rungs."""
        finite = [value for value in one.reported.values() if not math.isnan(value)]
        pick = min if self.direction is Direction.MINIMIZE else max
        standing = Standing(
            NAME,
            one.trial.number,
            step,
            self.stored(one.curve)[step],
            previous,
            pick(finite) if finite else None,
            self.stored(one.reported),
            len(self.rungs.get(one.trial.number, {})),
            self.is_mean,
        )
        reached = pruning.reached_rungs(self.ours, standing)
        rivals = {
            number: kept
            for number, rungs in self.rungs.items()
            if (kept := {name: value for name, value in rungs.items() if name in reached})
        }
        judgement = pruning.judge(self.ours, standing, Others(self.curves, rivals), direction=self.direction)
        self.rungs.setdefault(one.trial.number, {}).update(judgement.rungs)
        return judgement

    def _end(self, one: Running, *, is_pruned: bool) -> None:
        state = TrialState.PRUNED if is_pruned else one.end
        value = one.curve[max(one.curve)]
        if state is TrialState.COMPLETE and math.isnan(value):
            state = TrialState.FAIL
        self.study.tell(one.trial, value if state is TrialState.COMPLETE else None, state=state)
        self._ended(one, state, value)

    def _ended(self, one: Running, state: TrialState, value: float) -> None:
        """Let our pruner know of the curve of a trial that is complete."""
        assert self.rungs[one.trial.number] == rungs_of(self.study.trials[one.trial.number])
        if state is not TrialState.COMPLETE:
            return
        if pruning.looks_at_best(self.ours):
            is_better = self.best is None or (
                value < self.best if self.direction is Direction.MINIMIZE else value > self.best
            )
            self.best = value if is_better else self.best
            self.curves.lead(self.stored(one.curve) if is_better else self.curves.best, known=self.curves.known + 1)
        else:
            self.curves.add([self.stored(one.curve)], known=self.curves.known + 1)


def as_stored(curve: Curve) -> dict[int, float | None]:
    """Return a curve with None for what is not finite."""
    return {step: None if math.isnan(value) else value for step, value in curve.items()}


def rungs_of(trial: FrozenTrial) -> dict[str, float]:
    """Return the rungs that Optuna noted."""
    return {key: value for key, value in trial.system_attrs.items() if key.startswith("completed_rung_")}


def is_stopped(judgement: Judgement) -> bool:
    return judgement.decision is Decision.STOP
