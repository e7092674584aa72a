"""What people see of the doctor's words, and how the command line asks for them."""

import sys

import pytest
from rich.console import Console

from service.diagnosis import examine
from tests.unit import samples
from tests.unit.cases import case, study
from tests.unit.stub import TOKEN, Stub, refused, said
from trimtab import cli
from trimtab.diagnosis import Diagnosis
from trimtab.diagnosis_view import diagnosis_view
from trimtab.errors import NothingToPrescribe
from trimtab.rendering import study_view
from trimtab.states import Purpose

BIASED = examine(
    case(
        study(space={"hidden_units": {"type": "int", "low": 16, "high": 256}}),
        params={"hidden_units": 256},
        training_error=0.3,
        validation_error=0.31,
    )
)


def words(diagnosis: Diagnosis) -> list[str]:
    """Return what a pipe gets, without what aligns columns."""
    console = Console(width=1000)
    with console.capture() as capture:
        console.print(diagnosis_view(diagnosis))
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def test_a_diagnosis_is_conditions_findings_with_figures_and_edits() -> None:
    lines = words(BIASED)

    assert lines[0] == "study, trial 7: high bias"
    assert "training 0.3 target 0.3 (bias) 0 0.02" in lines
    assert "validation 0.31 training 0.01 (variance) 0 0.02" in lines
    assert any(line.startswith("1. bias: the training error, 0.3, is 0.3 above the target of 0") for line in lines)
    assert "space.hidden_units.high 256 512 the training error is 0.3 above the target" in lines
    assert lines[-1] == "make them: trimtab study prescribe study"


def test_a_healthy_study_is_called_so() -> None:
    lines = words(examine(case()))

    assert lines[0] == "study, trial 7: healthy: nothing found"
    assert not any("prescribe" in line for line in lines)


def test_a_mismatch_has_a_line_of_its_own() -> None:
    lines = words(examine(case(training_error=0.01, train_dev_error=0.02, validation_error=0.2)))

    assert lines[0] == "study, trial 7: high mismatch"
    assert "train-dev 0.02 training 0.01 (variance) 0 0.02" in lines
    assert "validation 0.2 train-dev 0.18 (mismatch) 0 0.02" in lines


def test_a_diagnosis_without_errors_says_why() -> None:
    nothing = Diagnosis(study="study", trial=3, conditions=[], reason="trial 3 has no \x1b[31m", findings=[], edits=[])

    assert words(nothing) == ["study, trial 3: trial 3 has no [31m"]


def test_a_study_shows_what_it_follows_and_what_follows_it() -> None:
    family = {"purpose": Purpose.PRESCRIPTION, "parent": "digits", "children": ["digits-3", "digits-2.final"]}
    console = Console(width=1000)

    with console.capture() as capture:
        console.print(study_view(samples.study("digits-2").model_copy(update=family), None))

    lines = [" ".join(line.split()) for line in capture.get().splitlines()]
    assert "purpose prescription of digits" in lines
    assert "followed_by digits-3, digits-2.final" in lines


@pytest.fixture
def run(stub: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> "Run":
    return Run(stub, monkeypatch, capsys)


class Run:
    """Runs `trimtab study`; gives the exit code, and what was printed."""

    def __init__(self, stub: Stub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("TRIMTAB_SERVER", stub.url)
        monkeypatch.setenv("TRIMTAB_TOKEN", TOKEN)

    def __call__(self, *arguments: str) -> tuple[int, str]:
        self._monkeypatch.setattr(sys, "argv", ["trimtab", "study", *arguments])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        printed = self._capsys.readouterr()
        return exit_.value.code if isinstance(exit_.value.code, int) else 0, printed.out + printed.err


def test_the_command_line_asks_for_a_diagnosis_of_a_study_or_a_trial(stub: Stub, run: Run) -> None:
    stub.answers(said(BIASED), said(BIASED))

    shown, machine = run("diagnosis", "study"), run("diagnosis", "study", "--trial", "7", "--json")

    assert [asked.path for asked in stub.asked] == [
        "/v1/studies/study/diagnosis",
        "/v1/studies/study/trials/7/diagnosis",
    ]
    assert shown[1].startswith("study, trial 7: high bias")
    assert Diagnosis.model_validate_json(machine[1]) == BIASED


def test_the_command_line_prescribes_all_edits_or_those_that_are_named(stub: Stub, run: Run) -> None:
    stub.answers(said(samples.study("digits-2"), status=201), said(samples.study("mine"), status=201))

    code, printed = run("prescribe", "digits")
    run("prescribe", "digits", "--name", "mine", "--edit", "space.l2", "--edit", "space.dropout")

    assert (code, printed.splitlines()[0]) == (0, "study digits-2 is running: 40 trials")
    assert [asked.body for asked in stub.asked] == [
        {"name": None, "edits": None},
        {"name": "mine", "edits": ["space.l2", "space.dropout"]},
    ]
    assert stub.asked[0].path == "/v1/studies/digits/prescriptions"


def test_where_there_is_nothing_to_prescribe_the_command_line_says_so(stub: Stub, run: Run) -> None:
    stub.answers(refused(NothingToPrescribe("the doctor proposes no edits to 'digits'")))

    assert run("prescribe", "digits") == (1, "trimtab: the doctor proposes no edits to 'digits'\n")
