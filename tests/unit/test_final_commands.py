"""Confirm and finish a study from the command line: what is sent, what is printed, how it ends."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.unit import samples
from tests.unit.commands import Run
from tests.unit.samples import NOON
from tests.unit.stub import Answer, Stub, refused, said
from trimtab import watching
from trimtab.errors import FinalNotFound
from trimtab.finals import Confirmation, ConfirmedTrial, FinalModel, FinalState, ModelFile, TestError, TestRead
from trimtab.states import StudyState, TrialState

CONTENT = "weights"
SHA256 = hashlib.sha256(CONTENT.encode()).hexdigest()
NONE_YET = refused(FinalNotFound("no final model of 'digits' was made"))
CONFIRMATION = Confirmation(
    study="digits.confirmation",
    state=StudyState.COMPLETE,
    repeats=2,
    trials=[
        ConfirmedTrial(trial=7, state=TrialState.COMPLETE, value=0.0125, standard_error=0.001),
        ConfirmedTrial(trial=3, state=TrialState.FAIL),
    ],
)


@pytest.fixture(autouse=True)
def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "POLL_SECONDS", 0.0)


def final(state: FinalState, **fields: Any) -> Answer:
    return said(FinalModel(study="digits", state=state, **fields))


def complete(**fields: Any) -> Answer:
    shared: dict[str, Any] = {
        "trial": 7,
        "params": {"learning_rate": 0.0031},
        "confirmation": CONFIRMATION,
        "final_study": "digits.final",
        "test": TestError(error=0.02, low=0.01, high=0.04, examples=359),
        "model": ModelFile(sha256=SHA256, size=len(CONTENT)),
        "reads": [TestRead(study="digits", at=NOON, final_study="digits.final", is_override=False)],
    }
    return final(**({"state": FinalState.COMPLETE} | shared | fields))


def test_confirm_waits_and_prints_the_means_with_their_standard_errors(stub: Stub, run: Run) -> None:
    ended = samples.study("digits.confirmation", state=StudyState.COMPLETE)
    best = said(samples.best(0, 0.0125), ETag='W/"0-1"')
    stub.answers(said(CONFIRMATION, status=201), said(ended), best, said(CONFIRMATION))

    ran = run("study", "confirm", "digits", "--top", "2", "--repeats", "2")

    assert stub.asked[0].body == {"top": 2, "repeats": 2}
    assert ran.code == 0
    assert [line.split() for line in ran.output.splitlines()[-2:]] == [
        ["7", "complete", "0.0125", "0.001"],
        ["3", "fail"],
    ]


def test_final_asks_once_waits_and_downloads(stub: Stub, run: Run, tmp_path: Path) -> None:
    download = Answer(200, CONTENT, {"ETag": f'"{SHA256}"'})
    stub.answers(
        NONE_YET,
        said(FinalModel(study="digits", state=FinalState.CONFIRMING), status=201),
        final(FinalState.CONFIRMING),
        final(FinalState.TRAINING),
        complete(),
        download,
    )

    ran = run("study", "final", "digits", "--repeats", "2", "--top", "2", "--download", str(tmp_path / "model.zip"))

    assert stub.asked[1].body == {"confirm": {"top": 2, "repeats": 2}, "override": False, "reason": None}
    assert ran.code == 0
    assert "trial 7 is complete; test error 0.02 (95 %: 0.01 to 0.04; 359 examples)" in ran.output
    assert "test set read by digits.final at " in ran.output
    assert (tmp_path / "model.zip").read_text() == CONTENT


@pytest.mark.parametrize(
    ("place", "fault"),
    [("nowhere/web.zip", "cannot be written: there is no folder"), ("", "is a folder: name a file in it")],
)
def test_final_asks_for_nothing_where_the_model_cannot_be_written(
    stub: Stub, run: Run, tmp_path: Path, place: str, fault: str
) -> None:
    ran = run("study", "final", "digits", "--download", str(tmp_path / place))

    assert (ran.code, ran.output, stub.asked) == (2, "", [])
    assert len(ran.errors.splitlines()) == 1
    assert fault in ran.errors


def test_final_shows_the_model_that_there_is_and_asks_for_no_other(stub: Stub, run: Run) -> None:
    stub.answering = lambda _: complete()

    ran = run("study", "final", "digits", "--json")

    assert FinalModel.model_validate_json(ran.output).trial == 7
    assert {asked.method for asked in stub.asked} == {"GET"}


def test_an_override_asks_again_with_its_reason(stub: Stub, run: Run) -> None:
    stub.answers(said(FinalModel(study="digits", state=FinalState.TRAINING), status=201), complete())

    run("study", "final", "digits", "--override", "wrong data")

    assert stub.asked[0].body == {"confirm": None, "override": True, "reason": "wrong data"}


def test_a_final_model_that_failed_is_told_by_the_code(stub: Stub, run: Run) -> None:
    read = TestRead(study="digits", at=NOON, final_study="digits.final", is_override=False)
    stub.answering = lambda _: final(FinalState.FAILED, reason="out of memory", reads=[read])

    ran = run("study", "final", "digits")

    assert ran.code == 1
    assert "has failed: out of memory" in ran.output


def test_a_final_model_whose_confirmation_came_to_nothing_is_asked_for_again(stub: Stub, run: Run) -> None:
    nothing = final(FinalState.FAILED, reason="no trial is complete")
    stub.answers(nothing, said(FinalModel(study="digits", state=FinalState.TRAINING), status=201), complete())

    run("study", "final", "digits")

    assert [asked.method for asked in stub.asked] == ["GET", "POST", "GET"]


def test_the_model_that_there_is_is_fetched_though_a_newer_one_failed(stub: Stub, run: Run, tmp_path: Path) -> None:
    there = complete(state=FinalState.FAILED, reason="out of memory")
    stub.answers(there, there, Answer(200, CONTENT, {"ETag": f'"{SHA256}"'}))

    ran = run("study", "final", "digits", "--download", str(tmp_path / "model.zip"))

    assert ran.code == 1
    assert "of trial 7 is that of digits.final; a newer one has failed: out of memory; test error 0.02" in ran.output
    assert (tmp_path / "model.zip").read_text() == CONTENT


def test_a_damaged_model_is_fetched_again(stub: Stub, run: Run, tmp_path: Path) -> None:
    damaged, whole = (Answer(200, content, {"ETag": f'"{SHA256}"'}) for content in ("weighs", CONTENT))
    stub.answers(complete(), complete(), damaged, whole)

    run("study", "final", "digits", "--download", str(tmp_path / "model.zip"))

    assert [path.read_text() for path in tmp_path.iterdir()] == [CONTENT]
