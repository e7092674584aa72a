"""How the service and the workers write their logs: as lines for people or as JSON, and never with a secret.

Values are given by name, as `_log.info("lease %(lease)s is lost", {"lease": 7, "study": "digits"})`: people read them
in the sentence, and JSON has each as a field of its own. Nobody whose words are in a line can forge another.
"""

import json
import logging
import math
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime

from trimtab.errors import Misconfigured
from trimtab.protocol import Lease

FORMAT = "TRIMTAB_LOG_FORMAT"
LEVEL = "TRIMTAB_LOG_LEVEL"

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""Names the request that is served here; None: there is none."""

_LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"
_LINE_OF_SLOT = "%(asctime)s %(levelname)s %(name)s {slot}: %(message)s"

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_OURS = ("service", "workers", "trimtab", "__main__")

# What moves a terminal's cursor, ends a line, or turns the direction of writing; of these only the newline stays.
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

# Nothing of ours says any of these; what others raise may: a token, a password in a URL or as a parameter. The bound
# keeps a line of many beginnings from taking long.
_SECRET = re.compile(
    r"ttk_[\w-]+|(?<=bearer )[^\s'\"]+|(?<=password=)[^\s&'\"]+|(?<=://)[^\s/@:]*:\S{1,200}(?=@)", re.IGNORECASE
)


class Indented(logging.Formatter):
    """Begins each record at the margin, and nothing else: the lines below its first are indented."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as it is written; what is wrong, with the request in which it was."""
        text = _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), _shown(super().format(record)))
        first, *others = text.split("\n")
        name = request_id.get()
        named = f"{first} (request {name})" if name and record.levelno >= logging.WARNING else first
        return "\n    ".join([named, *others])


class Json(logging.Formatter):
    """Writes each record as an object of JSON on a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as it is written."""
        given = record.args if isinstance(record.args, Mapping) else {}
        error = self.formatException(record.exc_info) if record.exc_info else None
        always = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        known = {"request": request_id.get(), "traceback": error}
        fields = always | {name: value for name, value in known.items() if value is not None}
        return json.dumps({name: _plain(value) for name, value in {**given, **fields}.items()})


def configure(environment: Mapping[str, str], *, slot: str | None = None) -> None:
    """Write what is of interest to standard error, as TRIMTAB_LOG_FORMAT and TRIMTAB_LOG_LEVEL say.

    Args:
        environment: With the settings.
        slot: That every line for people is of; None: of none.

    Raises:
        Misconfigured: One of them is none of those that there are.
    """
    written_as = _one_of(environment, FORMAT, ("text", "json"), default="text")
    level = _LEVELS[_one_of(environment, LEVEL, tuple(_LEVELS), default="info")]
    handler = logging.StreamHandler()
    line = _LINE if slot is None else _LINE_OF_SLOT.format(slot=slot)
    handler.setFormatter(Json() if written_as == "json" else Indented(line))
    # What libraries have to say while they work is of use to their authors alone, and some of them say what they send.
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler])
    for name in _OURS:
        logging.getLogger(name).setLevel(level)


def about(lease: Lease) -> dict[str, str | int]:
    """Return the values by which a line says what lease it is about."""
    return {"study": lease.study, "trial": lease.trial, "lease": lease.id, "attempt": lease.attempt}


def _one_of(environment: Mapping[str, str], name: str, values: tuple[str, ...], *, default: str) -> str:
    given = environment.get(name) or default
    if given not in values:
        raise Misconfigured(f"{name} is one of {', '.join(values)}: {given!r}")
    return given


def _shown(text: str) -> str:
    return _SECRET.sub("***", text)


def _plain(value: object) -> str | int | float | bool | None:
    """Return a value as JSON has it; what it has no word for, as text."""
    if value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _shown(str(value))
