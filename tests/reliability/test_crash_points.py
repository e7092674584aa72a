"""Whatever goes wrong at a statement, a commit or the answer of a call: sent again, the call takes effect once."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from service.datasets import canonical, reader
from service.datasets.orders import Finding, Order
from service.datasets.reading import content_of
from service.finals import make_due
from service.liveness import renew
from service.sweep import sweep
from tests.reliability.auditor import audit
from tests.reliability.crashes import COMMIT, Fault, Killed
from tests.reliability.scenarios import SCENARIOS, Scenario, confirmed
from tests.reliability.summary import summary
from tests.reliability.trying import LEASE_SECONDS, Record, Service, Trying
from tests.service import record
from trimtab.errors import Unavailable

Try = Callable[[Scenario], Trying]

AWAY_SECONDS = 600.0
SECONDS_LEFT = """
    SELECT CAST(max(extract(epoch FROM expires_at - clock_timestamp())) AS float8) FROM trimtab_leases
    WHERE ended_at IS NULL
"""


@pytest.fixture(autouse=True)
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read data sets in this process: a process of its own for each of a hundred tries would take a minute."""

    def finding(order: Order) -> Finding:
        content = content_of(order)
        canonical.write(content, Path(order.output))
        return Finding(description=content.description)

    monkeypatch.setattr(reader, "_finding", finding)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_whatever_goes_wrong_in_a_call_it_takes_effect_once(scenario: Scenario, trying: Try) -> None:
    assert trying(scenario).complaint() is None


def test_whatever_goes_wrong_in_a_sweep_the_next_one_ends_every_lease_once(trying: Try) -> None:
    call = trying(SCENARIOS["report many"])

    def after(fault: Fault, at: int | None) -> Record:
        call.prepared()
        record.let_leases_run_out(call.well.engine)
        _break(call.fragile, fault, at, lambda: sweep(call.fragile.replica))
        sweep(call.well.replica)
        return summary(call.well.engine)

    expected = after(Fault.KILL_BEFORE, None)
    points = len(call.fragile.script.points)
    found = [after(fault, at) for fault in Fault for at in range(points)]

    assert points
    assert all(one == expected for one in found)
    assert audit(call.well.engine) == []


def test_whatever_goes_wrong_in_a_sweep_that_ends_a_study_the_next_one_ends_it(trying: Try) -> None:
    call = trying(SCENARIOS["limit the epochs to those reported"])

    def after(fault: Fault, at: int | None) -> Record:
        call.prepared()
        record.execute(call.well.engine, "UPDATE trimtab_studies SET seconds = 1e-6")
        _break(call.fragile, fault, at, lambda: sweep(call.fragile.replica))
        sweep(call.well.replica)
        return summary(call.well.engine)

    expected = after(Fault.KILL_BEFORE, None)
    points = len(call.fragile.script.points)
    found = [after(fault, at) for fault in Fault for at in range(points)]

    assert "budget.seconds" in str(expected["leases"])
    assert all(one == expected for one in found)
    assert audit(call.well.engine) == []


def test_killed_before_or_after_the_commit_of_a_final_model_that_is_due_there_is_one_and_one_reading(
    trying: Try,
) -> None:
    call = trying(Scenario(confirmed, lambda *_: (0, None)))

    def after(fault: Fault, at: int | None) -> Record:
        call.prepared()
        _break(call.fragile, fault, at, lambda: make_due(call.fragile.replica))
        make_due(call.well.replica)
        return summary(call.well.engine)

    expected = after(Fault.KILL_BEFORE, None)
    commits = [at for at, point in enumerate(call.fragile.script.points) if point == COMMIT]
    found = [after(fault, at) for fault in Fault for at in commits]

    assert commits
    assert len(expected["readings"]) == 1
    assert str(expected["companions"]).count("study.final") == 1
    assert all(one == expected for one in found)
    assert audit(call.well.engine) == []


def test_whatever_goes_wrong_at_the_end_of_an_outage_leases_are_extended_once(trying: Try) -> None:
    call = trying(SCENARIOS["report many"])

    def after(fault: Fault, at: int | None) -> float:
        call.prepared()
        record.be_away(call.well.engine, seconds=AWAY_SECONDS)
        _break(call.fragile, fault, at, lambda: renew(call.fragile.engine))
        renew(call.well.engine)
        left = record.value(call.well.engine, SECONDS_LEFT)
        assert isinstance(left, float)
        return left

    assert after(Fault.KILL_BEFORE, None) > 0
    points = len(call.fragile.script.points)
    found = [after(fault, at) for fault in Fault for at in range(points)]

    assert points
    assert 0 < min(found) <= max(found) < 2 * LEASE_SECONDS  # Twice extended it had 20 times as long.


def _break(service: Service, fault: Fault, at: int | None, work: Callable[[], object]) -> None:
    service.script.begin(fault, at)
    with suppress(Killed, Unavailable):
        work()
    service.script.at = None
