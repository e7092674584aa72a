"""The checkpoints of a trial on their way between worker and service."""

import logging
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from tests.unit.samples import LEASE
from tests.unit.stub import Answer, Asked, Stub, refused, said
from trimtab.client import Client
from trimtab.errors import BodyTooLarge, CheckpointNotFound, LeaseLost, Refused, Unavailable
from trimtab.protocol import Checkpoint
from workers.checkpoints import Checkpoints, Start
from workers.drain import Drain
from workers.messages import CheckpointFile, Saved
from workers.transfers import beside, is_over_within

CONTENT = "weights and all"
KEPT = Checkpoint(step=3, sha256=sha256(CONTENT.encode()).hexdigest(), size=len(CONTENT))
RESUMED = LEASE.model_copy(update={"checkpoint": KEPT})


@pytest.fixture
def checkpoints(client: Client, tmp_path: Path) -> Checkpoints:
    return Checkpoints(client, RESUMED, tmp_path, every=1e-9)


def sent(checkpoints: Checkpoints) -> None:
    """Send a checkpoint as a child would have written it, and wait for what becomes of it."""
    checkpoints.path.write_text(CONTENT)
    checkpoints.send(Saved(path=str(checkpoints.path), step=KEPT.step, sha256=KEPT.sha256, size=KEPT.size))
    assert checkpoints.is_sent_within(60)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_checkpoint_is_sent_with_its_step_and_hash_and_its_file_goes(stub: Stub, checkpoints: Checkpoints) -> None:
    stub.answers(said(KEPT))

    sent(checkpoints)

    (asked,) = stub.asked
    assert (asked.method, asked.path) == ("PUT", f"/v1/leases/{LEASE.id}/checkpoint")
    assert (asked.query, asked.text) == ({"step": "3", "sha256": KEPT.sha256}, CONTENT)
    assert not checkpoints.path.exists()


def test_the_first_checkpoint_is_due_when_its_time_has_come(client: Client, tmp_path: Path) -> None:
    assert not Checkpoints(client, LEASE, tmp_path, every=1000).is_due()
    assert Checkpoints(client, LEASE, tmp_path, every=1e-9).is_due()


def test_none_is_due_while_one_is_on_its_way(stub: Stub, checkpoints: Checkpoints) -> None:
    arrived, leave = threading.Event(), threading.Event()

    def answering(_: Asked) -> Answer:
        arrived.set()
        leave.wait(60)
        return said(KEPT)

    stub.answering = answering
    checkpoints.path.write_text(CONTENT)

    checkpoints.send(Saved(path=str(checkpoints.path), step=KEPT.step, sha256=KEPT.sha256, size=KEPT.size))

    assert arrived.wait(60)
    assert not checkpoints.is_due()
    leave.set()
    assert checkpoints.is_sent_within(60)
    assert checkpoints.is_due()


def test_a_service_that_takes_none_is_complained_of_once_and_sent_no_more(
    stub: Stub, checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answers(refused(BodyTooLarge("a checkpoint may have 1 bytes")))

    sent(checkpoints)
    checkpoints.give_up("for another reason")

    assert not checkpoints.is_due()
    assert warnings(caplog) == ["trial 7 of digits: no checkpoint: a checkpoint may have 1 bytes"]


def test_a_service_that_is_away_is_complained_of_once_and_sent_the_next(
    stub: Stub, checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answering = lambda _: refused(Unavailable("the database is away"))
    sent(checkpoints)
    sent(checkpoints)
    stub.answering = lambda _: said(KEPT)
    stub.asked.clear()

    sent(checkpoints)

    assert len(stub.asked) == 1
    assert checkpoints.is_due()
    assert warnings(caplog) == ["trial 7 of digits: no checkpoint: the database is away"]


def test_a_lost_lease_is_left_to_the_next_report(
    stub: Stub, checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answers(refused(LeaseLost("this lease on trial 7 of 'digits' ran out")))

    sent(checkpoints)

    assert not checkpoints.is_due()
    assert warnings(caplog) == []


@pytest.mark.parametrize("refusal", [BodyTooLarge("too large"), Unavailable("away"), LeaseLost("lost")])
def test_no_file_is_left_of_what_was_refused(refusal: Refused, stub: Stub, checkpoints: Checkpoints) -> None:
    stub.answering = lambda _: refused(refusal)

    sent(checkpoints)

    assert not checkpoints.path.exists()


def test_a_file_that_is_gone_is_a_checkpoint_less(checkpoints: Checkpoints, caplog: pytest.LogCaptureFixture) -> None:
    checkpoints.send(Saved(path=str(checkpoints.path), step=KEPT.step, sha256=KEPT.sha256, size=KEPT.size))

    assert checkpoints.is_sent_within(60)
    assert len(warnings(caplog)) == 1


def test_a_trial_without_a_checkpoint_starts_at_the_beginning_and_nobody_is_asked(
    stub: Stub, client: Client, tmp_path: Path
) -> None:
    start = Checkpoints(client, LEASE, tmp_path, every=60).fetch(Drain())

    assert start == Start(step=0, file=None)
    assert stub.asked == []


def test_a_trial_starts_at_the_checkpoint_that_the_service_sends(
    stub: Stub, checkpoints: Checkpoints, tmp_path: Path
) -> None:
    older = {"Trimtab-Step": "2", "Trimtab-SHA256": KEPT.sha256}  # The one that the lease names was torn.
    stub.answers(Answer(200, CONTENT, older))

    start = checkpoints.fetch(Drain())

    path = tmp_path / "start"
    assert start == Start(step=2, file=CheckpointFile(path=str(path), sha256=KEPT.sha256))
    assert path.read_text() == CONTENT


def test_a_trial_whose_checkpoints_are_all_torn_starts_at_the_beginning(stub: Stub, checkpoints: Checkpoints) -> None:
    stub.answers(refused(CheckpointNotFound("trial 7 of 'digits' has no checkpoint")))

    assert checkpoints.fetch(Drain()) == Start(step=0, file=None)


def test_a_checkpoint_that_arrives_damaged_each_time_is_done_without(
    stub: Stub, client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answering = lambda _: Answer(200, "damaged", {"Trimtab-Step": "3", "Trimtab-SHA256": KEPT.sha256})

    start = Checkpoints(client, RESUMED, tmp_path, every=60).fetch(Drain())

    assert start == Start(step=3, file=None)
    assert len(stub.asked) == 3
    assert "damaged" in caplog.text


def test_where_there_is_no_room_for_the_file_the_trial_is_trained_anew_behind_its_record(
    stub: Stub, client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stub.answers(Answer(200, CONTENT, {"Trimtab-Step": "3", "Trimtab-SHA256": KEPT.sha256}))

    start = Checkpoints(client, RESUMED, tmp_path / "nowhere", every=60).fetch(Drain())

    assert start == Start(step=3, file=None)
    assert "No such file" in warnings(caplog)[0]


def test_a_call_beside_is_waited_for_and_gives_what_it_returned_or_raised() -> None:
    leave = threading.Event()
    running, failing = beside(lambda: leave.wait(60)), beside(lambda: int("no number"))

    assert not is_over_within(0.01, running)
    leave.set()
    assert is_over_within(60, running)
    assert is_over_within(60, failing)
    assert running.result()
    with pytest.raises(ValueError, match="no number"):
        failing.result()
