"""A play of very many trials is over soon, and decides at rungs as the service does."""

import time

import numpy as np
import pytest

from service import pruning
from service.curves import Curves
from service.pruning import Others, Standing
from service.pruning.replay import Simulation
from trimtab.pruners import HyperbandPruner, Pruner, SuccessiveHalvingPruner
from trimtab.states import Decision, Direction

STEPS = 9
PRUNERS = [
    SuccessiveHalvingPruner(name="successive_halving", reduction_factor=2),
    SuccessiveHalvingPruner(name="successive_halving", reduction_factor=3, bootstrap_count=4),
    HyperbandPruner(name="hyperband", max_resource=STEPS),
]
AT_RUNGS = pytest.mark.parametrize("pruner", PRUNERS, ids=["halving", "bootstrap", "hyperband"])


def curves(count: int) -> list[list[float | None]]:
    """Few different values, so that many are equal; some are not finite."""
    drawn = np.random.RandomState(4).randint(25, size=(count, STEPS)).tolist()
    return [[value / 10 if value else None for value in curve] for curve in drawn]


def stops_one_by_one(pruner: Pruner, direction: Direction, count: int) -> dict[int, int]:
    """As the service decides: each trial on the rungs of all others."""
    stopped: dict[int, int] = {}
    rungs: dict[int, dict[str, float]] = {number: {} for number in range(count)}
    for step in range(1, STEPS + 1):
        for number, curve in enumerate(curves(count)):
            if number in stopped:
                continue
            others = Others(Curves(), {other: came for other, came in rungs.items() if other != number})
            standing = Standing("study", number, step, curve[step - 1], step - 1, rungs=len(rungs[number]))
            judgement = pruning.judge(pruner, standing, others, direction=direction)
            rungs[number].update(judgement.rungs)
            if judgement.decision is Decision.STOP:
                stopped[number] = step
    return stopped


@AT_RUNGS
@pytest.mark.parametrize("direction", Direction)
def test_a_play_stops_at_rungs_what_the_service_stops(pruner: Pruner, direction: Direction) -> None:
    count = 120
    simulation = Simulation("study", pruner, direction)

    for step in range(1, STEPS + 1):
        for number, curve in enumerate(curves(count)):
            simulation.report(number, step, curve[step - 1])

    assert simulation.stopped == stops_one_by_one(pruner, direction, count)
    assert len(set(simulation.stopped.values())) > 1, "at more rungs than one"


@AT_RUNGS
def test_a_play_of_very_many_trials_is_over_soon(pruner: Pruner) -> None:
    simulation = Simulation("study", pruner, Direction.MINIMIZE)
    values = np.random.RandomState(0).rand(12_000, 4).tolist()
    begun = time.thread_time()

    for number, curve in enumerate(values):
        for step, value in enumerate(curve, start=1):
            simulation.report(number, step, value)

    assert time.thread_time() - begun < 8
