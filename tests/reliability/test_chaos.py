"""Kills, stops, cuts and crashes of every kind at once, with real processes: nothing is lost, doubled or stuck."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.e2e.running import REPOSITORY
from tests.reliability.chaos.aim import Aim
from tests.reliability.chaos.plan import Fault, counts, plan
from tests.reliability.chaos.run import run

# It takes a fraction of this time. With this seed no outage comes while a worker is stopped: it would keep its lease.
SMALL = Aim(kills=25, seconds=180.0, seed=313, trials=250)

HAPPENED = (
    *("stops", "database_crashes", "replicas_killed", "outages_of_all_replicas", "blackholes"),
    *("zombie_writes", "leases_lost"),
)


def test_trials_come_to_their_ends_through_faults_of_every_kind(data_dir: Path) -> None:
    before = {child.pid for child in psutil.Process().children(recursive=True)}

    found = run(SMALL, data_dir)

    assert found.breaches == []
    assert (found.figures["trials"], found.figures["kills"]) == (SMALL.trials, SMALL.kills)
    assert all(found.figures[name] for name in HAPPENED), found.figures
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before
    # PostgreSQL is nobody's child.
    assert not (data_dir / "postgres" / "postmaster.pid").exists()


def test_a_run_that_is_not_as_promised_says_so_and_ends_with_1(data_dir: Path) -> None:
    no_time = ("--kills", "1", "--trials", "10", "--seconds", "0.1")

    ended = subprocess.run(
        [sys.executable, "-m", "tests.reliability.chaos", *no_time],
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(data_dir)},
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
    )

    assert "NOT AS PROMISED: 6 faults were still to come when the time was up" in ended.stdout
    assert json.loads(ended.stdout.splitlines()[-1])["breaches"] >= 1
    assert ended.returncode == 1


def test_the_same_seed_plans_the_same_faults() -> None:
    planned = plan(SMALL)

    assert planned == plan(SMALL)
    assert planned != plan(replace(SMALL, seed=2))
    assert {fault: sum(due.fault is fault for due in planned) for fault in Fault} == counts(SMALL)


def test_a_plan_of_any_size_has_every_fault() -> None:
    assert counts(Aim(kills=1, seconds=60.0, seed=0, trials=10)) == dict.fromkeys(Fault, 1)
    assert counts(Aim(kills=2000, seconds=1800.0, seed=1, trials=20_000)) == {
        Fault.KILL: 2000,
        Fault.STOP: 200,
        Fault.CRASH: 50,
        Fault.REPLICA: 50,
        Fault.REPLICAS: 10,
        Fault.BLACKHOLE: 50,
    }


@pytest.mark.parametrize("kills", [1, 25, 2000])
def test_a_plan_leaves_time_for_its_last_fault_to_come_to_an_end(kills: int) -> None:
    planned = plan(Aim(kills=kills, seconds=60.0, seed=0, trials=10 * kills))

    assert planned == sorted(planned)
    assert 0.0 <= planned[0].progress < planned[-1].progress < 0.96
