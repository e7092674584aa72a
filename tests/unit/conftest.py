"""A stub of the service, a client of it that never waits, and its command line."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.commands import Ran, Run
from tests.unit.stub import TOKEN, Stub, serving
from trimtab import cli
from trimtab.client import Client


@pytest.fixture(autouse=True)
def _plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is the same wherever the tests are run."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def pauses() -> list[float]:
    """How long the client waited between its tries, in seconds, were it not that time stands still."""
    return []


@pytest.fixture
def client(stub: Stub, pauses: list[float]) -> Iterator[Client]:
    with Client(stub.url, TOKEN, timeout=60, sleep=pauses.append, chance=lambda: 1.0) as client:
        yield client


@pytest.fixture
def environment(stub: Stub, tmp_path: Path) -> dict[str, str]:
    """What leads a command to the stub."""
    return {"TRIMTAB_SERVER": stub.url, "TRIMTAB_TOKEN": TOKEN, "TRIMTAB_DATA_DIR": str(tmp_path)}


@pytest.fixture
def run(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `trimtab`."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, given: str = "") -> Ran:
        monkeypatch.setattr(sys, "argv", ["trimtab", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        printed = capsys.readouterr()
        return Ran(exit_.value.code if isinstance(exit_.value.code, int) else 0, printed.out, printed.err)

    return run
