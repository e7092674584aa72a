"""Whatever goes wrong at a statement, a commit or the answer of a call: sent again, the call takes effect once."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from service.liveness import renew
from service.sweep import sweep
from tests.reliability.auditor import audit
from tests.reliability.crashes import Fault, Killed
from tests.reliability.scenarios import SCENARIOS, Scenario
from tests.reliability.summary import summary
from tests.reliability.trying import Record, Service, Trying
from tests.service import record

Try = Callable[[Scenario], Trying]

BACKGROUND: dict[str, Callable[[Service], object]] = {
    "sweep": lambda service: sweep(service.replica),
    "liveness": lambda service: renew(service.engine),
}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_whatever_goes_wrong_in_a_call_it_takes_effect_once(scenario: Scenario, trying: Try) -> None:
    assert trying(scenario).complaint() is None


@pytest.mark.parametrize("work", BACKGROUND.values(), ids=BACKGROUND)
def test_whatever_goes_wrong_in_the_background_is_set_right_by_the_next_time(
    work: Callable[[Service], object], trying: Try
) -> None:
    call = trying(SCENARIOS["report many"])

    def after(fault: Fault, at: int | None) -> Record:
        call.prepared()
        record.let_leases_run_out(call.well.engine)
        call.fragile.script.begin(fault, at)
        with suppress(Killed, Exception):
            work(call.fragile)
        call.fragile.script.begin(fault, None)
        work(call.well)
        return summary(call.well.engine)

    expected = after(Fault.KILL_BEFORE, None)
    call.prepared()
    call.fragile.script.begin(Fault.KILL_BEFORE, None)
    work(call.fragile)
    points = len(call.fragile.script.points)
    found = [after(fault, at) for fault in Fault for at in range(points)]

    assert points
    assert all(one == expected for one in found)
    assert audit(call.well.engine) == []
