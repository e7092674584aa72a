"""Kills, stops, cuts and crashes of every kind at once, with real processes: nothing is lost, doubled or stuck."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.reliability.chaos.aim import Aim
from tests.reliability.chaos.plan import Fault, counts, plan
from tests.reliability.chaos.run import run

# It takes a fraction of this time.
SMALL = Aim(kills=25, seconds=180.0, seed=1, trials=250)


def test_trials_come_to_their_ends_through_faults_of_every_kind(data_dir: Path) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}

    found = run(SMALL, data_dir)

    assert found.breaches == []
    assert (found.figures["trials"], found.figures["kills"]) == (SMALL.trials, SMALL.kills)
    assert all(found.figures[name] for name in ("stops", "database_crashes", "replicas_killed", "zombie_writes"))
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


def test_the_same_seed_plans_the_same_faults() -> None:
    planned = plan(SMALL)

    assert planned == plan(SMALL)
    assert planned != plan(replace(SMALL, seed=2))
    assert {fault: sum(due.fault is fault for due in planned) for fault in Fault} == counts(SMALL)


@pytest.mark.parametrize("kills", [1, 25, 2000])
def test_a_plan_leaves_time_for_its_last_fault_to_come_to_an_end(kills: int) -> None:
    planned = plan(Aim(kills=kills, seconds=60.0, seed=0, trials=10 * kills))

    assert planned == sorted(planned)
    assert 0.0 <= planned[0].progress < planned[-1].progress < 0.96
