"""The time that an attempt and its steps may take."""

import pytest

from tests.clocks import Clock
from trimtab.budget import Limits
from workers.allowance import Allowance


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_no_limit_is_never_passed(clock: Clock) -> None:
    allowance = Allowance(Limits(), clock=clock)

    clock.now += 1e9

    assert allowance.exceeded() is None


def test_a_step_that_takes_too_long_passes_its_limit(clock: Clock) -> None:
    allowance = Allowance(Limits(step_seconds=60), clock=clock)

    clock.now += 59
    before = allowance.exceeded()
    clock.now += 1

    assert before is None
    assert allowance.exceeded() == "a step took longer than 60 s (limits.step_seconds)"


def test_each_step_has_its_own_time_and_all_share_that_of_the_trial(clock: Clock) -> None:
    allowance = Allowance(Limits(trial_seconds=100, step_seconds=60), clock=clock)

    clock.now += 59
    allowance.begin_step(reported_at=clock.now)
    clock.now += 40
    before = allowance.exceeded()
    clock.now += 1

    assert before is None
    assert allowance.exceeded() == "the attempt took longer than 100 s (limits.trial_seconds)"


def test_time_spent_waiting_for_the_service_does_not_count(clock: Clock) -> None:
    allowance = Allowance(Limits(trial_seconds=100), clock=clock)
    clock.now += 50

    reported_at = clock.now
    clock.now += 3600
    allowance.begin_step(reported_at=reported_at)

    assert allowance.exceeded() is None
    clock.now += 50
    assert allowance.exceeded() is not None
