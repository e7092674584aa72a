"""What others say cannot pass for what the log says."""

import logging

import pytest

from trimtab.logs import Indented


def written(message: str, error: Exception | None = None) -> str:
    found = (type(error), error, None) if error else None
    record = logging.LogRecord("service", logging.INFO, __file__, 1, "told: %s", (message,), found)
    return Indented("%(levelname)s %(message)s").format(record)


def test_words_as_they_are_usual_are_written_as_they_are() -> None:
    assert written("Überlauf: 損失 is NaN") == "INFO told: Überlauf: 損失 is NaN"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_no_end_of_a_line_in_a_message_begins_another_record(end: str) -> None:
    lines = written(f"lost{end}ERROR forged").splitlines()

    assert [line for line in lines if line.startswith("ERROR")] == []


@pytest.mark.parametrize("sign", ["\x00", "\x08", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\ud800"])
def test_no_sign_in_a_message_changes_how_others_are_seen(sign: str) -> None:
    line = written(f"before{sign}after")

    assert sign not in line
    assert line.encode().startswith(b"INFO told: before\\")


def test_what_an_error_says_begins_no_record_either() -> None:
    lines = written("failed", ValueError("bad\nERROR forged")).splitlines()

    assert lines[1:] == ["    ValueError: bad", "    ERROR forged"]
