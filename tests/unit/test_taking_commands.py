"""`trimtab study export|logs|list --tag`: what they send and what they print."""

import json
from pathlib import Path

import pytest

from tests.unit import samples
from tests.unit.commands import Run
from tests.unit.samples import NOON
from tests.unit.stub import Answer, Stub, refused, said
from trimtab.errors import TrialNotFound
from trimtab.protocol import Page
from trimtab.spec import StudySpec, TaskSpec
from trimtab.trial_logs import LogLine

TABLE = Answer(200, "number,state\n0,complete\n", {"Content-Type": "text/csv"})


def line(number: int, text: str, left_out: int = 0) -> LogLine:
    return LogLine(attempt=1, fence=1, line=number, text=text, at=NOON, left_out=left_out)


def test_a_study_is_exported_to_a_file_whose_name_says_how(stub: Stub, run: Run, tmp_path: Path) -> None:
    stub.answers(TABLE)

    ran = run("study", "export", "digits", str(tmp_path / "digits.csv"), "--table", "reports")

    assert (ran.code, ran.output) == (0, "")
    assert stub.asked[0].query == {"format": "csv", "table": "reports"}
    assert (tmp_path / "digits.csv").read_text() == TABLE.text


def test_a_file_in_no_folder_is_one_line_before_anything_is_asked(stub: Stub, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "nowhere/digits.csv"

    ran = run("study", "export", "digits", str(file))

    assert (ran.code, ran.output, stub.asked) == (2, "", [])
    assert ran.errors == f"trimtab: {file} cannot be written: there is no folder {file.parent}\n"


def test_a_file_that_cannot_be_written_is_one_line(stub: Stub, run: Run, tmp_path: Path) -> None:
    stub.answers(TABLE)

    ran = run("study", "export", "digits", str(tmp_path / f"{'d' * 250}.csv"))

    assert (ran.code, ran.output) == (2, "")
    assert len(ran.errors.splitlines()) == 1
    assert ran.errors.startswith(f"trimtab: {tmp_path}/ddd")
    assert ran.errors.endswith(": File name too long\n")


def test_a_study_is_exported_to_a_pipe(stub: Stub, run: Run) -> None:
    stub.answers(TABLE)

    ran = run("study", "export", "digits")

    assert ran.output == TABLE.text


def test_a_file_that_does_not_say_how_is_asked_about(stub: Stub, run: Run, tmp_path: Path) -> None:
    ran = run("study", "export", "digits", str(tmp_path / "digits.xlsx"))

    assert (ran.code, stub.asked) == (2, [])
    assert ran.errors == "trimtab: digits.xlsx: name a file .csv, .json, .parquet, or say the format\n"


def test_what_a_training_wrote_is_shown_from_its_end(stub: Stub, run: Run) -> None:
    stub.answers(said(Page[LogLine](items=[line(0, "epoch 1"), line(9, "epoch\x1b[31m 9", left_out=8)])))

    ran = run("study", "logs", "digits", "7", "--tail", "2")

    assert (stub.asked[0].path, stub.asked[0].query["tail"]) == ("/v1/studies/digits/trials/7/logs", "2")
    assert ran.output == "epoch 1\nepoch [31m 9\n"
    assert ran.errors == "… 8 lines are not kept\n"


@pytest.mark.parametrize(
    ("attempts", "task", "why"),
    [
        (0, TaskSpec(name="mlp"), "it waits for a worker"),
        (1, TaskSpec(name="mlp"), "its training has written none"),
        (1, None, "what your own code writes stays where it runs"),
    ],
)
def test_a_trial_without_lines_says_why(stub: Stub, run: Run, attempts: int, task: TaskSpec | None, why: str) -> None:
    trial = samples.history(7).model_copy(update={"attempts": attempts})
    study = samples.study().model_copy(update={"spec": StudySpec(name="digits", task=task)})
    stub.answers(said(Page[LogLine](items=[])), said(trial), said(study))

    ran = run("study", "logs", "digits", "7")

    assert (ran.code, ran.output, ran.errors) == (0, "", f"trial 7 has no lines: {why}\n")


def test_what_a_training_writes_is_followed_to_its_end(stub: Stub, run: Run) -> None:
    stub.answers(
        said(Page[LogLine](items=[line(0, "epoch 1")], next="1")), said(Page[LogLine](items=[line(1, "epoch 2")]))
    )

    ran = run("study", "logs", "digits", "7", "-f", "--json")

    assert [json.loads(each)["text"] for each in ran.output.splitlines()] == ["epoch 1", "epoch 2"]


def test_a_trial_that_is_not_there_has_no_logs(stub: Stub, run: Run) -> None:
    stub.answers(refused(TrialNotFound("study 'digits' has no trial 7")))

    ran = run("study", "logs", "digits", "7")

    assert (ran.code, ran.errors) == (1, "trimtab: study 'digits' has no trial 7\n")


@pytest.mark.parametrize(("option", "value"), [("state", "paused"), ("tag", "ours")])
def test_studies_are_listed_by_state_and_tag(stub: Stub, run: Run, option: str, value: str) -> None:
    stub.answers(said(samples.page(samples.study("found"))))

    run("study", "list", f"--{option}", value)

    assert stub.asked[0].query[option] == value
