"""What others say cannot pass for what the log says; a secret is in no line; JSON has each value as a field."""

import json
import logging
import re
import subprocess
import sys
import time
from typing import Any

import pytest

from trimtab.errors import Misconfigured
from trimtab.logs import Indented, Json, configure, request_id


def record(message: str, values: object = None, error: Exception | None = None) -> logging.LogRecord:
    found = (type(error), error, None) if error else None
    arguments = () if values is None else (values,)
    return logging.LogRecord("service", logging.INFO, __file__, 1, message, arguments, found)


def written(message: str, error: Exception | None = None) -> str:
    return Indented("%(levelname)s %(message)s").format(record("told: %s", message, error))


def fields(message: str, values: object = None, error: Exception | None = None) -> dict[str, Any]:
    line = Json().format(record(message, values, error))
    assert "\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


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


def test_json_has_the_values_of_a_message_as_fields() -> None:
    found = fields("lease %(lease)s on trial %(trial)d of %(study)s", {"lease": 7, "trial": 3, "study": "digits"})

    assert found.pop("message") == "lease 7 on trial 3 of digits"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", found.pop("time"))
    assert found == {"level": "info", "logger": "service", "lease": 7, "trial": 3, "study": "digits"}


def test_no_value_takes_the_place_of_what_every_line_has() -> None:
    found = fields("%(level)s", {"level": "error", "logger": "forged", "message": "forged"})

    assert (found["level"], found["logger"], found["message"]) == ("info", "service", "error")


@pytest.mark.parametrize(
    "said", ['"}\n{"level": "error"', "\x1b[2J", "\ud800", "\u2028", "Überlauf", float("nan"), [1, 2], None, True, 1.5]
)
def test_whatever_a_value_is_the_line_is_json(said: object) -> None:
    found = fields("told: %(said)s", {"said": said})

    exact = said is None or isinstance(said, str | bool) or said == 1.5
    assert found["said"] == (said if exact else str(said))


def test_json_has_an_error_with_where_it_was_raised() -> None:
    try:
        int("bad\nvalue")
    except ValueError as error:
        found = json.loads(
            Json().format(
                logging.LogRecord("s", logging.ERROR, "", 1, "failed", (), (ValueError, error, error.__traceback__))
            )
        )

    assert "ValueError: invalid literal" in found["traceback"]
    assert "test_logs.py" in found["traceback"]


SECRETS = [
    "ttk_worker_0123456789abcdefABCDEF-_0123456789abcdef",
    "Authorization: Bearer hunter2",
    "postgresql+psycopg2://trimtab:hunter2@db/trimtab",
    "postgresql://trimtab:hun@ter2:hunter2@db/trimtab",
    "s3://key:hunter2@bucket/folder",
    "host=db password=hunter2 dbname=trimtab",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_written_whoever_says_it(secret: str) -> None:
    lines = [
        written(f"cannot reach {secret}"),
        written("failed", ValueError(secret)),
        Json().format(record("cannot reach %(url)s", {"url": secret})),
        Json().format(record("failed", None, ValueError(secret))),
    ]

    for line in lines:
        assert "***" in line
        assert "hunter2" not in line
        assert "ttk_" not in line


def test_a_url_without_a_password_is_written() -> None:
    assert written("http://host:8000/v1/studies") == "INFO told: http://host:8000/v1/studies"


def test_a_line_in_a_request_says_which() -> None:
    before = request_id.set("abc")
    try:
        found = fields("done")
        warning = record("failed\nbadly")
        warning.levelno = logging.WARNING
        line = Indented("%(message)s").format(warning)
    finally:
        request_id.reset(before)

    assert found["request"] == "abc"
    assert line == "failed (request abc)\n    badly"


SAY = """
import logging, os
from trimtab import logs
logs.configure(os.environ)
for level in ("debug", "info", "warning"):
    for name in ("service.asks", "httpcore"):
        getattr(logging.getLogger(name), level)("%(level)s of %(name)s", {"level": level, "name": name})
"""


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (
            "debug",
            [
                "debug of service.asks",
                "info of service.asks",
                "info of httpcore",
                "warning of service.asks",
                "warning of httpcore",
            ],
        ),
        ("", ["info of service.asks", "info of httpcore", "warning of service.asks", "warning of httpcore"]),
        ("warning", ["warning of service.asks", "warning of httpcore"]),
    ],
)
def test_the_level_is_that_of_our_own_lines_and_others_say_no_more_than_usual(level: str, expected: list[str]) -> None:
    environment = {"TRIMTAB_LOG_FORMAT": "json", "TRIMTAB_LOG_LEVEL": level}

    said = subprocess.run([sys.executable, "-c", SAY], env=environment, capture_output=True, text=True, check=True)

    lines = [json.loads(line) for line in said.stderr.splitlines()]
    assert [line["message"] for line in lines] == expected


@pytest.mark.parametrize(("name", "value"), [("TRIMTAB_LOG_FORMAT", "xml"), ("TRIMTAB_LOG_LEVEL", "loud")])
def test_another_word_is_refused_with_those_that_there_are(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"{name} is one of .*: '{value}'"):
        configure({name: value})


def test_a_line_of_many_beginnings_of_secrets_is_written_at_once() -> None:
    began = time.thread_time()

    written("://:" * 5_000 + "bearer " * 5_000)

    assert time.thread_time() - began < 2
