"""What a training wrote, line by line: to its lease, and back to whoever reads it.

lines   0 ... 999          kept: how it began
        1,000 ...          left out, once more have come
        the last 2,000     kept: how it is going, or how it ended
"""

import re
from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from trimtab.message import CONTROL, Array, Message

MAX_LINE = 2_000
"""Characters of a line."""

FIRST_LINES = 1_000
LAST_LINES = 2_000
"""Of an attempt, kept from its beginning and from its end: six million characters at most."""

MAX_LINES = 1_000
"""In one request."""

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""What sets a terminal's colours, cursor or title. Source: ECMA-48, section 5.4; xterm's control sequences."""

_UNPRINTABLE = re.compile(f"[{CONTROL}\ud800-\udfff]")

LineText = Annotated[str, StringConstraints(pattern=f"^[^{CONTROL}]*$", max_length=MAX_LINE)]
LineNumber = Annotated[int, Field(ge=0, lt=2**31 - MAX_LINES)]


class NewLines(Message):
    """Lines that a training wrote, one after the other.

    Args:
        first: The number of the first of them; the attempt's first line is 0. The same number again is the same line.
        lines: Each without its end, and without control characters.
    """

    first: LineNumber
    lines: Annotated[tuple[LineText, ...], Array, Field(min_length=1, max_length=MAX_LINES)]


class Logged(Message):
    """Lines are on record.

    Args:
        next: The number of the line after them.
    """

    next: int


class LogLine(Message):
    """A line that a training wrote.

    Args:
        attempt: Of the trial.
        fence: Of the lease; one attempt has several where a worker gave the trial back.
        line: Its number in that lease, from 0.
        text: Without its end.
        at: When the service had it.
        left_out: Lines of that lease between the one before and this one that are not kept.
    """

    attempt: int
    fence: int
    line: int
    text: str
    at: datetime
    left_out: int = 0


def readable(text: str) -> str:
    """Return a line as it may be kept: as a terminal would show it, but without colours, and cut where it is long."""
    shown = _ESCAPE.sub("", text.rstrip("\r\n")).rpartition("\r")[2]
    plain = _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), shown[: 4 * MAX_LINE])
    return plain if len(plain) <= MAX_LINE else f"{plain[: MAX_LINE - 1]}…"
