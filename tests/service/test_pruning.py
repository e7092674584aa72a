"""Our median pruner decides as Optuna's own."""

import math

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from service import pruning
from service.curves import Curves
from trimtab.pruners import MedianPruner, NoPruner
from trimtab.states import Decision, Direction

HISTORIES = 10_000
Curve = dict[int, float]


def random_curve(rng: np.random.RandomState) -> Curve:
    """Values at some of eight steps; ties are likely, one in ten is not finite."""
    steps = np.flatnonzero(rng.rand(8) < 0.8) + 1
    values = rng.choice([0.1, 0.2, rng.rand(), rng.rand() / 3, math.nan], size=len(steps), p=[0.2, 0.2, 0.3, 0.2, 0.1])
    return {int(step): float(value) for step, value in zip(steps, values, strict=True)}


class _Study:
    """As much of a study as Optuna's pruner asks for."""

    def __init__(self, complete: list[FrozenTrial], direction: Direction) -> None:
        self._complete = complete
        self.direction = optuna.study.StudyDirection[direction.name]

    def get_trials(self, deepcopy: bool = True, states: object = None) -> list[FrozenTrial]:
        assert states == (TrialState.COMPLETE,)
        return self._complete


def optunas_decision(pruner: MedianPruner, complete: list[Curve], trial: Curve, direction: Direction) -> bool:
    trials = [create_trial(state=TrialState.COMPLETE, value=0.0, intermediate_values=curve) for curve in complete]
    judged = create_trial(state=TrialState.RUNNING, intermediate_values=trial)
    theirs = optuna.pruners.MedianPruner(pruner.startup_trials, n_warmup_steps=pruner.warmup_steps + 1)
    return theirs.prune(_Study(trials, direction), judged)  # type: ignore[arg-type]


def our_decision(pruner: MedianPruner, complete: list[Curve], trial: Curve, direction: Direction) -> bool:
    curves = Curves()
    for order, curve in enumerate(complete, start=1):
        curves.add([as_stored(curve)], known=order)
    finite = [value for value in trial.values() if not math.isnan(value)]
    pick = min if direction is Direction.MINIMIZE else max
    judgement = pruning.judge(
        pruner, curves, step=max(trial), best=pick(finite) if finite else None, direction=direction
    )
    return judgement.decision is Decision.STOP


def as_stored(curve: Curve) -> dict[int, float | None]:
    return {step: None if math.isnan(value) else value for step, value in curve.items()}


@pytest.mark.filterwarnings("ignore:All-NaN:RuntimeWarning")
def test_the_median_pruner_decides_as_optunas_own() -> None:
    rng = np.random.RandomState(0)
    stopped = 0
    for history in range(HISTORIES):
        complete = [random_curve(rng) for _ in range(rng.randint(0, 12))]
        pruner = MedianPruner(startup_trials=int(rng.randint(0, 4)), warmup_steps=int(rng.randint(0, 4)))
        direction = Direction.MINIMIZE if rng.rand() < 0.5 else Direction.MAXIMIZE
        shift = rng.choice([-0.3, 0.0, 0.3])
        trial = {step: value + shift for step, value in random_curve(rng).items()} or {1: 0.5}

        ours = our_decision(pruner, complete, trial, direction)

        assert ours == optunas_decision(pruner, complete, trial, direction), f"history {history}"
        stopped += ours
    assert HISTORIES / 10 < stopped < HISTORIES * 9 / 10, "the histories should lead to both decisions"


def test_curves_added_at_once_are_those_added_one_by_one() -> None:
    rng = np.random.RandomState(1)
    stored = [as_stored(random_curve(rng)) for _ in range(50)]

    at_once, one_by_one = Curves(), Curves()
    at_once.add(stored, known=50)
    for order, curve in enumerate(stored, start=1):
        one_by_one.add([curve], known=order)

    assert at_once == one_by_one


def test_a_stop_says_why() -> None:
    curves = Curves()
    curves.add([{4: 0.1}, {4: 0.2}, {4: 0.3}], known=3)
    pruner = MedianPruner(startup_trials=1, warmup_steps=3)

    judgement = pruning.judge(pruner, curves, step=4, best=0.25, direction=Direction.MINIMIZE)

    assert judgement.reason == "step 4: best so far 0.25, median of 3 complete trials 0.2"


def test_steps_up_to_the_warm_up_never_stop_a_trial() -> None:
    curves = Curves()
    curves.add([{3: 0.1, 4: 0.1}], known=1)
    pruner = MedianPruner(startup_trials=1, warmup_steps=3)

    at_3 = pruning.judge(pruner, curves, step=3, best=0.9, direction=Direction.MINIMIZE)
    at_4 = pruning.judge(pruner, curves, step=4, best=0.9, direction=Direction.MINIMIZE)

    assert (at_3.decision, at_4.decision) == (Decision.CONTINUE, Decision.STOP)


def test_without_a_pruner_every_trial_goes_on() -> None:
    curves = Curves()
    curves.add([{1: 0.1}], known=1)

    judgement = pruning.judge(NoPruner(name="none"), curves, step=1, best=0.9, direction=Direction.MINIMIZE)

    assert judgement == pruning.GO_ON
