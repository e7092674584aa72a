"""A chaos run is judged by what it leaves: nothing that is not as promised is passed over."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.reliability.auditor import Breach
from tests.reliability.chaos.aim import Aim
from tests.reliability.chaos.figures import result
from tests.reliability.chaos.log import Blow, Log, Outage
from tests.reliability.chaos.losses import Loss
from tests.reliability.chaos.proxy import Mishap
from tests.reliability.chaos.remains import Remains
from tests.reliability.journal import Late, Surprise

LOSS = Loss(1, "study", 0, "w1", leased_at=10.0, ended_at=24.0, again_at=25.0)
KILLED = Blow("w1", 20.0)
REFUSED = Late(1, "report", 26.0, "lease_lost")

WELL = Remains(
    aim=Aim(kills=1, seconds=60.0, seed=7, trials=10),
    log=Log(blows=[KILLED]),
    seconds=50.0,
    requests=Counter({Mishap.NONE: 100}),
    differences=[],
    audited=[],
    lost=[LOSS],
    late=[REFUSED],
    surprises=[],
    states={"complete": 9, "fail": 1},
    failed_of_lost_leases=1,
    failed_otherwise=0,
)


def test_a_run_in_which_all_is_as_promised_has_no_breach() -> None:
    found = result(WELL)

    assert found.breaches == []
    assert (found.figures["kills"], found.figures["trials"], found.figures["stuck"]) == (1, 10, 0)
    assert (found.figures["zombie_writes"], found.figures["zombie_writes_refused"]) == (1, 1)
    assert found.figures["recovery_seconds"] == {"count": 1, "p50": 5.0, "p99": 5.0, "max": 5.0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"audited": [Breach("I2", "study", 3, "ended twice")]}, "I2: study, trial 3: ended twice"),
        ({"log": Log(blows=[KILLED], wrong=["worker w2 died by itself"])}, "worker w2 died by itself"),
        ({"differences": ["two answers to one request"]}, "two answers to one request"),
        ({"surprises": [Surprise(1, "step_conflict")]}, "lease 1: step_conflict"),
        ({"states": {"complete": 9, "running": 1}}, "1 trials stuck"),
        ({"failed_otherwise": 1}, "1 trials failed otherwise than of lost leases"),
        ({"lost": [LOSS, replace(LOSS, lease=2, worker="w2")]}, "lease 2 of w2 on study, trial 0 was lost"),
        ({"late": [replace(REFUSED, code="accepted")]}, "1 writes of zombies were answered otherwise"),
        ({"late": [replace(REFUSED, code="lease_ended")]}, "1 writes of zombies were answered otherwise"),
        ({"late": [replace(REFUSED, lease=2)]}, "lease 2 is not lost, and its worker was told that it is"),
        ({"late": [replace(REFUSED, lease=2, code="accepted")]}, "lease 2 is not lost"),
        ({"lost": [replace(LOSS, again_at=26.5)]}, "6.50 s after the kill of its worker at p50 of 1"),
        ({"lost": [replace(LOSS, again_at=None)]}, "no trial of theirs is known to have run again"),
        ({"log": Log([KILLED], [Outage("the database", 21.0, 22.0)])}, "no trial of theirs is known to have run again"),
    ],
)
def test_whatever_is_not_as_promised_is_the_only_breach(changes: dict[str, Any], words: str) -> None:
    remains = replace(WELL, **changes)

    (breach,) = result(remains).breaches

    assert words in breach


@pytest.mark.parametrize(
    ("recoveries", "slow", "breaches"),
    [(99, 49, 0), (99, 50, 1), (100, 1, 0), (100, 2, 1)],
    ids=["few, less than half late", "few, half late", "many, one in a hundred late", "many, more late"],
)
def test_few_recoveries_are_judged_by_their_median_and_many_by_p99(recoveries: int, slow: int, breaches: int) -> None:
    again_at = [30.0] * slow + [25.0] * (recoveries - slow)
    remains = replace(WELL, lost=[replace(LOSS, lease=i, again_at=at) for i, at in enumerate(again_at)])

    found = result(remains)

    assert len(found.breaches) == breaches


def test_without_kills_there_is_nothing_that_ought_to_run_again() -> None:
    remains = replace(WELL, log=Log(), lost=[], late=[])

    found = result(remains)

    assert found.breaches == []
