"""`trimtab study best|trials|trial|enqueue`: what they send and what they print."""

import json

import pytest

from tests.unit import samples
from tests.unit.commands import Run
from tests.unit.samples import NOON
from tests.unit.stub import Stub, refused, said
from trimtab.errors import SeveralObjectives
from trimtab.protocol import Attempt, BestTrial, Page, RecordedReport
from trimtab.states import Decision, Origin, Outcome, TrialState

FAILED = samples.trial(
    1, state=TrialState.FAIL, outcome=Outcome.OUT_OF_MEMORY, reason="tried to\nallocate", worker="gpu0"
)
DONE = samples.trial(0, state=TrialState.COMPLETE, outcome=Outcome.COMPLETE, values={"validation_error": 0.05}, step=30)


def reported(step: int, error: float | None, *, attempt: int = 1) -> RecordedReport:
    return RecordedReport(
        attempt=attempt, step=step, metrics={"validation_error": error}, verdict=Decision.CONTINUE, reported_at=NOON
    )


def test_trials_are_listed_with_why_they_failed(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.page(DONE, FAILED)))

    ran = run("study", "trials", "digits")

    header, done, failed = (line.split() for line in ran.output.splitlines())
    assert header == ["TRIAL", "STATE", "validation_error", "STEP", "ATTEMPTS", "SECONDS", "WORKER", "WHY"]
    assert done == ["0", "complete", "0.05", "30", "1"]
    assert failed == ["1", "fail", "1", "gpu0", "out", "of", "memory:", "tried", "to", "allocate"]


def test_a_long_reason_is_cut_in_the_list_and_whole_with_its_trial(stub: Stub, run: Run) -> None:
    reason = "x" * 900
    trial = samples.history(1).model_copy(update={"outcome": Outcome.ERROR, "reason": reason})
    stub.answers(said(samples.page(FAILED.model_copy(update={"reason": reason}))), said(trial))

    header, listed = run("study", "trials", "digits").output.splitlines()
    shown = run("study", "trial", "digits", "1")

    assert listed.rstrip().endswith("xxx…")
    assert max(len(header), len(listed)) < 250
    assert reason in shown.output


def test_trials_are_listed_by_state_and_no_more_than_wanted(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.page(DONE, FAILED)))

    ran = run("study", "trials", "digits", "--state", "fail", "--limit", "1", "--json")

    assert stub.asked[0].query["state"] == "fail"
    assert [trial["number"] for trial in json.loads(ran.output)] == [0]


def test_a_trial_is_shown_with_what_it_left_on_record_of_itself(stub: Stub, run: Run) -> None:
    left = {"note": "a\nfine one", "shape": [8, True, None]}
    stub.answers(said(samples.history(7).model_copy(update={"user_attributes": left})))

    ran = run("study", "trial", "digits", "7")

    lines = [" ".join(line.split()) for line in ran.output.splitlines()]
    assert lines[lines.index("USER ATTRIBUTE VALUE") :][1:3] == ["note a fine one", "shape [8, true, null]"]


def test_a_trial_is_shown_with_its_curve_and_its_attempts(stub: Stub, run: Run) -> None:
    lost = Attempt(fence=1, attempt=1, worker="gpu0", outcome=Outcome.LOST, leased_at=NOON, seconds=3.0)
    errors = [0.8, 0.4, None, 0.1]
    reports = [reported(step, error) for step, error in enumerate(errors, start=1)]
    fields = {"reports": [reported(2, 0.9), *reports], "history": [lost], "origin": Origin.CONTROL, "step": 4}
    stub.answers(said(samples.history(7).model_copy(update=fields)))

    ran = run("study", "trial", "digits", "7")

    lines = [" ".join(line.split()) for line in ran.output.splitlines()]
    assert lines[:2] == [
        "digits, trial 7: running at step 4",
        "params chosen by chance, to compare the sampler with",
    ]
    assert "validation_error █▄ ▁ 0.8 0.1" in lines
    assert "learning_rate 0.0031" in lines
    assert "1 gpu0 lost 3.0" in lines


def test_of_several_objectives_the_front_is_json_too(stub: Stub, run: Run) -> None:
    front = Page[BestTrial](items=[samples.best(3, 0.05), samples.best(9, 0.02)])
    stub.answers(refused(SeveralObjectives("two")), said(front))

    ran = run("study", "best", "digits", "--json")

    assert [trial["number"] for trial in json.loads(ran.output)] == [3, 9]


def test_a_value_that_is_nested_beyond_all_reading_is_a_word(stub: Stub, run: Run) -> None:
    deep = "[" * 9000
    stub.answers(said(samples.trial(7)))

    ran = run("study", "enqueue", "digits", f"x={deep}")

    assert ran.code == 2
    assert ran.errors.startswith("trimtab: ")
    assert len(ran.errors.splitlines()) == 1


def test_a_point_is_enqueued_with_values_of_every_kind(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.trial(12, state=TrialState.WAITING), status=201))

    ran = run(
        "study", "enqueue", "digits", "learning_rate=0.01", "hidden_units=[64, 32]", "optimizer=adam", "skip=true"
    )

    wanted = {"learning_rate": 0.01, "hidden_units": [64, 32], "optimizer": "adam", "skip": True}
    assert stub.asked[0].body == {"params": wanted}
    assert ran.output == "trial 12 of digits waits for a worker\n"


@pytest.mark.parametrize("pairs", [["learning_rate"], ["=1"], ["a=1", "a=2"]])
def test_what_is_no_name_and_value_is_wrong_usage(stub: Stub, run: Run, pairs: list[str]) -> None:
    ran = run("study", "enqueue", "digits", *pairs)

    assert ran.code == 2
    assert "is no NAME=VALUE, or its name stands twice" in ran.errors
    assert stub.asked == []
