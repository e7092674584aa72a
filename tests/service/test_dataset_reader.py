"""The process that reads files of strangers: what it is given, and what becomes of it."""

import sys
from pathlib import Path

import pytest

from service.datasets import reader, reading
from service.datasets.orders import Format, Order
from trimtab.datasets import DatasetDescription, TargetKind
from trimtab.errors import Invalid


def read(folder: Path, text: str = "a,y\n1,2.5\n2,3\n") -> DatasetDescription:
    path = folder / "put"
    path.write_text(text)
    return reader.read(path, folder / "kept", file_format=Format.CSV, target="y", kind=TargetKind.AUTO)


def runs(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let other code run in place of the reading."""
    monkeypatch.setattr(reader, "_COMMAND", (sys.executable, "-c", code))


def test_it_is_given_no_token_and_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_ADMIN_TOKEN", "secret")
    runs(
        monkeypatch,
        "import json, os; names = [name for name in os.environ if 'TRIMTAB' in name]; "
        "print(json.dumps({'problems': [{'field': 'environment', 'message': str(names)}]}))",
    )

    with pytest.raises(Invalid, match=r"environment \[\]"):
        read(tmp_path)


@pytest.mark.parametrize("code", ["import os; os.abort()", "print('no answer')", "import time; time.sleep(60)"])
def test_a_file_that_ends_it_or_keeps_it_for_ever_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(reader, "_CPU_SECONDS", 1)
    runs(monkeypatch, code)

    with pytest.raises(Invalid, match="it is damaged, or says that it holds more than it does"):
        read(tmp_path)


def test_a_file_that_takes_too_much_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_MEMORY_BYTES", 2**28)
    monkeypatch.setattr(reader, "_MEMORY_RATIO", 0)

    with pytest.raises(Invalid, match="memory"):
        read(tmp_path, "a,y\n" + "".join(f"{row},{row % 2}\n" for row in range(1_500_000)))

    assert not (tmp_path / "kept").exists()


def test_a_thread_that_finds_no_room_is_a_lack_of_memory_too(tmp_path: Path) -> None:
    order = Order(
        format=Format.CSV,
        source=str(tmp_path / "put"),
        output=str(tmp_path / "kept"),
        target="y",
        kind=TargetKind.AUTO,
        most_bytes=2**24,
        memory_bytes=2**31,
        cpu_seconds=60,
    )

    said = reading.said_of(OSError("Failed to launch worker thread: Resource temporarily unavailable"), order)

    assert said == "needs more memory to be read than the 2147483648 bytes that a file of its size may take"
