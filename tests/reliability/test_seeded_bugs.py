"""Proof that the proofs work: each bug that is planted is found. Without one they find nothing: see their own tests."""

import re
from collections.abc import Callable

import pytest

from tests.reliability.auditor import audit
from tests.reliability.drills import complaint_of_asking_at_once
from tests.reliability.lives import live_every_life
from tests.reliability.scenarios import SCENARIOS, Scenario
from tests.reliability.seeded_bugs import BUGS, Bug, Proof
from tests.reliability.state_machine import StateMachine, run
from tests.reliability.trying import Trying
from tests.reliability.zombies import complaint_of_zombies
from tests.service.served import Served

Machine = Callable[[], type[StateMachine]]


@pytest.fixture
def complaint_of(trying: Callable[[Scenario], Trying], machine: Machine) -> Callable[[Bug], str | None]:
    """Look for a bug with the proof that is to find it."""

    def complaint(bug: Bug) -> str | None:
        match bug.found_by:
            case Proof.CRASH_POINTS:
                return trying(SCENARIOS[bug.call]).complaint()
            case Proof.STATE_MACHINE:
                return _of_the_state_machine(machine)
            case Proof.AT_ONCE:
                return complaint_of_asking_at_once(machine().replicas)
            case Proof.ZOMBIES:
                return complaint_of_zombies(machine().replicas)
            case Proof.AUDITOR:
                return _of_the_auditor(machine().replicas[0])

    return complaint


def test_many_who_ask_at_once_for_the_last_trial_leave_nothing_to_complain_of(machine: Machine) -> None:
    assert complaint_of_asking_at_once(machine().replicas) is None


def test_nothing_is_written_by_who_has_lost_a_lease_in_whatever_way(machine: Machine) -> None:
    assert complaint_of_zombies(machine().replicas) is None


@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS)
def test_a_bug_that_is_planted_is_found(
    bug: Bug, complaint_of: Callable[[Bug], str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    bug.plant(monkeypatch)

    found = complaint_of(bug)

    assert found
    assert re.search(bug.complaint, found), found


def _of_the_auditor(served: Served) -> str | None:
    journal = live_every_life(served)
    return "; ".join(map(str, audit(served.replica.engine, journal))) or None


def _of_the_state_machine(machine: Machine) -> str | None:
    try:
        run(machine(), histories=100, is_repeatable=True)
    except Exception as error:  # noqa: BLE001  # whatever it stumbles over is what it has found
        return repr(error)
    return None
