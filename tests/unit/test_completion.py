"""The shell completes commands and the names of studies; colours go where they are wanted."""

import pytest

from tests.unit import samples
from tests.unit.commands import Run
from tests.unit.stub import Answer, Stub, said
from trimtab.cli import arguments
from trimtab.cli.arguments import complete_dataset, complete_study
from trimtab.cli.printing import console


def completions(run: Run, monkeypatch: pytest.MonkeyPatch, line: str) -> list[str]:
    monkeypatch.setenv("_TRIMTAB_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    return run().output.split()


def test_nouns_verbs_and_studies_are_completed(stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arguments, "_PATIENCE_SECONDS", 60.0)
    stub.answers(said(samples.page(samples.study("digits"), samples.study("dogs"), samples.study("wine"))))

    assert completions(run, monkeypatch, "trimtab st") == ["study"]
    assert completions(run, monkeypatch, "trimtab study re") == ["replay", "resume"]
    assert completions(run, monkeypatch, "trimtab study show d") == ["digits", "dogs"]


@pytest.mark.parametrize("complete", [complete_study, complete_dataset])
def test_a_service_that_is_away_completes_nothing(monkeypatch: pytest.MonkeyPatch, complete: object) -> None:
    monkeypatch.setenv("TRIMTAB_SERVER", "http://127.0.0.1:1")
    monkeypatch.setenv("TRIMTAB_TOKEN", "the-token")

    assert callable(complete)
    assert complete("d") == []


def test_a_service_that_fails_completes_nothing(stub: Stub, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    stub.answering = lambda _: Answer(503, "<html>")

    assert completions(run, monkeypatch, "trimtab study show d") == []


def test_there_are_no_colours_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    wanted = console().no_color
    monkeypatch.setenv("NO_COLOR", "1")
    unwanted = console().no_color
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)

    assert (wanted, unwanted) == (False, True)
    assert console().color_system is None
