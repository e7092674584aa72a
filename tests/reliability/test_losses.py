"""A lost lease is held against the log of what was done to its worker."""

from dataclasses import replace

import pytest

from tests.reliability.chaos.log import Blow, Log, Outage
from tests.reliability.chaos.losses import Loss, percentile, recoveries, without_cause

# Leased at second 10, renewed until 20, lost at 24, the trial runs again at 25.
LOSS = Loss(1, "study", 0, "w1", leased_at=10.0, ended_at=24.0, again_at=25.0)


@pytest.mark.parametrize(
    ("blow", "explains"),
    [
        (Blow("w1", 20.0), True),
        (Blow("w1", 9.9), True),
        (Blow("w1", 24.5), False),
        (Blow("w2", 20.0), False),
        (Blow("w1", 19.0, 26.0), True),
        (Blow("w1", 2.0, 9.0), False),
    ],
    ids=["killed", "killed as it asked", "killed later", "another was killed", "stopped", "stopped before"],
)
def test_a_lease_is_lost_with_a_cause_if_its_worker_could_not_keep_it(blow: Blow, explains: bool) -> None:
    log = Log(blows=[blow])

    found = list(without_cause([LOSS], log))

    assert len(found) == int(not explains)


def test_a_loss_after_an_outage_has_no_cause_and_says_so() -> None:
    log = Log(outages=[Outage("the database", 15.0, 17.0)])

    found = list(without_cause([LOSS], log))

    assert found == ["lease 1 of w1 on study, trial 0 was lost, and its worker was well, after an outage"]


def test_the_time_until_a_trial_runs_again_counts_from_the_kill() -> None:
    log = Log(blows=[Blow("w1", 20.0)])

    found = recoveries([LOSS], log)

    assert found == ([5.0], [])


def test_a_recovery_with_an_outage_meanwhile_is_counted_apart() -> None:
    log = Log(blows=[Blow("w1", 20.0)], outages=[Outage("all replicas", 21.0, 22.0)])

    found = recoveries([LOSS], log)

    assert found == ([], [5.0])


def test_what_never_ran_again_and_who_was_only_stopped_is_no_recovery() -> None:
    log = Log(blows=[Blow("w1", 20.0), Blow("w2", 20.0, 26.0)])

    found = recoveries([replace(LOSS, again_at=None), replace(LOSS, worker="w2")], log)

    assert found == ([], [])


@pytest.mark.parametrize(("share", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_percentile_is_a_value_that_was_there(share: float, value: float) -> None:
    assert percentile([float(i) for i in range(100, 0, -1)], share) == value


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([], 0.99) is None
