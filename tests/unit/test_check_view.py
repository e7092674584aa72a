"""What a gradient check looks like in a terminal, and how the command that asks for one ends."""

import sys
from typing import Any

import pytest
from rich.console import Console

from tests.unit import samples
from tests.unit.stub import TOKEN, Stub, refused, said
from trimtab import cli
from trimtab.check_view import check_view
from trimtab.checks import Check, Rating
from trimtab.errors import NoCompleteTrial
from trimtab.protocol import Page
from trimtab.states import Outcome, StudyState, TrialState

RIGHT = Check(
    study="digits.check",
    params={},
    state=TrialState.COMPLETE,
    outcome=Outcome.COMPLETE,
    rating=Rating.RIGHT,
    figure=2.3e-10,
    tensors={"hidden.0.weight": 7.5e-10, "output.bias": 1.2e-10},
    metrics={"checked": 4998.0, "kinks": 2.0},
    created_at=samples.NOON,
)
WRONG = RIGHT.model_copy(
    update={
        "state": TrialState.FAIL,
        "outcome": Outcome.ERROR,
        "rating": Rating.WRONG,
        "tensors": {"hidden.0.weight": 0.33, "output.bias": 1.2e-10},
        "reason": "the gradient of hidden.0.weight is wrong",
    }
)


def shown(check: Check) -> list[str]:
    console = Console(width=200, highlight=False, markup=False)
    with console.capture() as captured:
        console.print(check_view(check))
    return [line.rstrip() for line in captured.get().splitlines()]


@pytest.fixture
def code(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `trimtab study check digits` on a service whose check came to this, and returns the exit code."""
    monkeypatch.setenv("TRIMTAB_SERVER", stub.url)
    monkeypatch.setenv("TRIMTAB_TOKEN", TOKEN)
    monkeypatch.setattr(sys, "argv", ["trimtab", "study", "check", "digits"])

    def run(found: Check) -> object:
        stub.answers(
            said(RIGHT.model_copy(update={"rating": None}), status=201),
            said(samples.study("digits.check", StudyState.COMPLETE)),
            refused(NoCompleteTrial("none is complete")),
            said(Page[Check](items=[found])),
        )
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code

    return run


def test_a_check_shows_its_rating_and_the_figure_of_each_tensor() -> None:
    lines = shown(RIGHT)

    assert lines[0] == "digits.check: right, figure 2.3e-10, 4998 compared, 2 left out at kinks"
    assert [line.split() for line in lines[1:]] == [
        ["TENSOR", "FIGURE", "RATING"],
        ["hidden.0.weight", "7.5e-10", "right"],
        ["output.bias", "1.2e-10", "right"],
    ]


def test_a_check_that_found_something_says_where_last() -> None:
    lines = shown(WRONG)

    assert lines[2].split() == ["hidden.0.weight", "3.3e-01", "wrong"]
    assert lines[-1] == "the gradient of hidden.0.weight is wrong"


def test_a_check_without_figures_says_what_became_of_it() -> None:
    waiting = Check(study="digits.check", params={}, state=TrialState.WAITING, created_at=samples.NOON)
    failed = waiting.model_copy(update={"state": TrialState.FAIL, "outcome": Outcome.OUT_OF_MEMORY})

    assert shown(waiting) == ["digits.check: waits for a worker"]
    assert shown(failed) == ["digits.check: no figures: out_of_memory"]


def test_the_command_waits_for_the_check_and_ends_by_its_rating(
    code: Any, stub: Stub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(RIGHT) == 0
    assert [(asked.method, asked.path) for asked in stub.asked] == [
        ("POST", "/v1/studies/digits/checks"),
        ("GET", "/v1/studies/digits.check"),
        ("GET", "/v1/studies/digits.check/best-trial"),
        ("GET", "/v1/studies/digits/checks"),
    ]
    assert capsys.readouterr().out.startswith("digits.check: right")
    assert code(WRONG) == 1
