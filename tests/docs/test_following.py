"""A page that is wrong is found out."""

from pathlib import Path

import pytest

from tests.docs import commands, pages, specs, transcripts
from tests.docs.following import Reader
from tests.docs.pages import Block
from trimtab.errors import Invalid

SHOWN = """
scans running: 12/40 finished, best 0.0312 (trial 3)
WORKER      SECONDS
gpu0-4711   1.5
"""


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Somebody without a service."""
    return Reader(tmp_path, "http://127.0.0.1:9", "postgresql+psycopg2://")


def block(language: str, text: str, title: str | None = None) -> Block:
    return Block("docs/page.md", 1, language, title, text)


def test_figures_bars_widths_and_names_of_workers_may_differ() -> None:
    said = "scans running: 1/40 finished, best 1.2e-05 (trial 11)\nWORKER     SECONDS\nvm-23  ▁▂▃  17\n\n".replace(
        "23", "2311"
    )

    assert transcripts.agree(SHOWN, said)


@pytest.mark.parametrize(
    "said",
    [
        SHOWN.replace("finished", "done"),
        SHOWN.replace("SECONDS", "SECONDS  WHY"),
        SHOWN + "warning: the study may never end",
        SHOWN.replace("gpu0-4711   1.5\n", ""),
    ],
)
def test_words_and_lines_may_not(said: str) -> None:
    assert not transcripts.agree(SHOWN, said)


@pytest.mark.parametrize(("said", "agrees"), [("a\nb\nc\nd", True), ("a\nd", True), ("a\nb", False), ("b\nd", False)])
def test_dots_stand_for_any_lines(said: str, agrees: bool) -> None:
    assert transcripts.agree("a\n...\nd", said) is agrees


def test_a_command_goes_on_after_a_backslash_and_within_quotes() -> None:
    typed = "TOKEN=abc .venv/bin/trimtab study \\\n  list  # which there are\n\ncurl -d '{\n\"a\": 1}' url\n"

    assert list(commands.commands(typed)) == [["trimtab", "study", "list"], ["curl", "-d", '{\n"a": 1}', "url"]]


@pytest.mark.parametrize(
    "typed",
    [
        "trimtab study creat digits",
        "trimtab study create digits --trails 3",
        "trimtab worker list digits",
        "python -m workers --slot 2 --devise cpu",
        "python -m workers check-gradients --task mlp --sede 1",
        "python -m service token create --kind owner --name x",
        "python -m examples.nothing",
        "make everything",
    ],
)
def test_a_command_that_does_not_exist_is_found_out_also_where_it_is_not_run(typed: str, reader: Reader) -> None:
    with pytest.raises(AssertionError):
        reader.follow(block("sh", typed, "not run by the tests: it takes a minute"))


@pytest.mark.parametrize(
    "wrong",
    [
        block("python", "assert 1 == 2"),
        block("sh", "test -e nothing"),
        block("sh", "trimtab study list"),
        block("console", "$ echo one\ntwo"),
        block("json", '{"sampler": {"name": "tpa"}}'),
        block("yaml", "name: digits\ntask: {name: mlp}\nbudget: {trails: 3}"),
    ],
)
def test_a_block_that_does_not_work_is_found_out(wrong: Block, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_SERVER", reader.server)
    monkeypatch.setenv("TRIMTAB_TOKEN", "none")

    with pytest.raises((AssertionError, ValueError, Invalid)):
        reader.follow(wrong)


@pytest.mark.parametrize(
    "shown",
    ['{"pruner": {"name": "none"}}', '"budget": {"trials": 3}', '{"x": {"type": "float", "low": 0, "high": 1}}'],
)
def test_a_part_of_a_study_is_read_as_one(shown: str) -> None:
    assert specs.accept(block("json", shown)).name == "shown"


def test_a_block_says_why_it_is_not_run_or_which_file_it_is() -> None:
    shown, named = block("sh", "", "not run by the tests: it needs Docker"), block("python", "", "my_task.py")

    assert (shown.not_run, shown.file) == ("it needs Docker", None)
    assert (named.not_run, named.file) == (None, "my_task.py")
    assert [each.language for each in pages.blocks("CONTRIBUTING.md")][:1] == ["text"]
