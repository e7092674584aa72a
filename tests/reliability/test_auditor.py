"""The auditor finds nothing in a record that is whole, and each thing that is not."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from tests.reliability.auditor import audit
from tests.reliability.conftest import Recorded
from tests.reliability.invariants import INVARIANTS
from tests.reliability.journal import Ended, Entry, Leased, Reported, Sent
from tests.reliability.planted import Planted, planted

PLANTED = planted()


def test_a_record_that_is_whole_has_no_breach(recorded: Recorded) -> None:
    assert {type(entry) for entry in recorded.journal} == {Leased, Sent, Reported, Ended}

    breaches = audit(recorded.engine, recorded.journal)

    assert breaches == []


@pytest.mark.parametrize("breach", PLANTED, ids=lambda breach: f"{breach.invariant}: {breach.what}")
def test_what_should_never_be_is_found(recorded: Recorded, breach: Planted) -> None:
    with recorded.engine.begin() as connection:
        connection.execute(sa.text(breach.statement.replace(":", "\\:")))

    breaches = audit(recorded.engine, recorded.journal)

    assert breach.invariant in {found.invariant for found in breaches}


def test_every_invariant_has_a_breach_that_is_found() -> None:
    assert {breach.invariant for breach in PLANTED} == set(INVARIANTS)


def spoiled(entry: Entry) -> Entry:
    """Return an answer that the record does not bear out."""
    match entry:
        case Leased():
            return replace(entry, params={**entry.params, "another": 1})
        case Reported():
            return replace(entry, verdict="stop" if entry.verdict == "continue" else "continue")
        case Ended():
            return replace(entry, outcome="error")
        case _:
            return entry


@pytest.mark.parametrize(("kind", "invariant"), [(Leased, "I5"), (Reported, "I6"), (Ended, "I1")])
def test_each_answer_is_held_against_the_record(recorded: Recorded, kind: type[Entry], invariant: str) -> None:
    answers = [entry for entry in recorded.journal if isinstance(entry, kind)]

    breaches = [audit(recorded.engine, [spoiled(answer)]) for answer in answers]

    assert len(breaches) >= 5
    assert all({breach.invariant for breach in found} == {invariant} for found in breaches)


def test_the_auditor_leaves_nothing_behind(recorded: Recorded) -> None:
    audit(recorded.engine, recorded.journal)

    breaches = audit(recorded.engine, recorded.journal)

    assert breaches == []


def test_a_breach_says_where_and_what(recorded: Recorded) -> None:
    with recorded.engine.begin() as connection:
        connection.execute(sa.text("UPDATE trimtab_leases SET attempt = 7 WHERE lease_id = 1"))

    breaches = audit(recorded.engine)

    assert [str(breach) for breach in breaches] == ["attempts: over, trial 0: lease 1 counts as attempt 7"]
