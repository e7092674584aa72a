"""What the pages show works: every block is run, beside one service and one worker, or says why it is not."""

import re
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import fresh_database
from tests.docs import commands, given, pages
from tests.docs.following import Reader
from tests.docs.pages import Block
from tests.e2e.running import TOKEN, Workers, serving, wait_for
from trimtab.cli import inspecting
from trimtab.client import Client

RUN = {"python", "sh", "console", "json", "yaml"}
SHOWN = {"text"}
SECONDS = 600
"""A page that takes longer hangs."""


@contextmanager
def within(seconds: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TimeoutError(f"not within {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where commands are typed, with the token, the examples and all files that pages show."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "examples").symlink_to(pages.ROOT / "examples")
    token = folder / ".local/share/trimtab/token"
    token.parent.mkdir(parents=True)
    token.write_text(TOKEN)
    (folder / ".curlrc").write_text('fail-with-body\nnoproxy = "*"\n')
    for block in every_block():
        if block.file:
            assert not (folder / block.file).exists(), f"{block}: another page has a file {block.file}"
            (folder / block.file).write_text(block.text)
    return folder


@pytest.fixture(scope="module")
def database_url(postgres: sa.Engine, template: str) -> Iterator[str]:
    with fresh_database(postgres, template) as url:
        yield url


@pytest.fixture(scope="module")
def server(database_url: str, folder: Path) -> Iterator[str]:
    """The URL of a service with one worker, which trains the tasks that the pages have it allowed."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as ending, serving(database_url) as server:
        for name, value in {"TRIMTAB_SERVER": server, "TRIMTAB_TOKEN": TOKEN, "PYTHONPATH": str(folder)}.items():
            patch.setenv(name, value)
        patch.setattr(inspecting, "_PATIENCE_SECONDS", 60.0)
        patch.syspath_prepend(folder)
        Workers(folder, ending).start(server, "--device=cpu", *(f"--allow={task}" for task in allowed()))
        with Client(server, TOKEN) as client:
            wait_for(lambda: list(client.workers()), seconds=SECONDS)
        yield server


@pytest.fixture
def reader(server: str, database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """Somebody who comes to a service that nobody has used, but for what their page takes for granted."""
    with Client(server, TOKEN) as client:
        for study in list(client.studies(limit=100)):
            client.delete_study(study.name)
        for dataset in list(client.datasets()):
            if dataset.version:
                client.delete_dataset(dataset.name)
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return Reader(folder, server, database_url)


def every_block() -> list[Block]:
    return [block for page in pages.pages() for block in pages.blocks(page)]


def allowed() -> list[str]:
    """The tasks that workers are started with on the pages."""
    shells = [block for block in every_block() if block.language == "sh" and not block.not_run]
    typed = [words for block in shells for words in commands.commands(block.text)]
    return sorted({task for words in typed for before, task in pairwise(words) if before == "--allow"})


@pytest.mark.parametrize("page", pages.pages())
def test_a_page_shows_what_works(page: str, reader: Reader) -> None:
    with Client(reader.server, TOKEN) as client:
        given.prepare(page, client, reader.folder)

    with within(SECONDS):
        for block in pages.blocks(page):
            reader.follow(block)


def test_every_block_is_run_or_says_why_it_is_not() -> None:
    skipped = [str(block) for block in every_block() if not (block.language in RUN | SHOWN or block.not_run)]

    assert len(every_block()) > 40
    assert skipped == []


def test_what_is_only_indented_is_no_command() -> None:
    typed = [
        str(block)
        for page in pages.pages()
        for block in pages.indented(page)
        if re.search(r"^\s*(\$ |trimtab |python |curl |docker |make |\.venv)", block.text, re.MULTILINE)
    ]

    assert typed == []


def test_commands_within_a_sentence_exist() -> None:
    typed = [
        words for page in pages.pages() for words in map(str.split, pages.inline(page)) if words[:1] == ["trimtab"]
    ]

    assert len(typed) > 10
    assert [words for words in typed if not commands.exists(words)] == []
