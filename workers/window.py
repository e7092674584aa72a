"""What a process wrote since somebody last looked: the first lines and the last, in little memory."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.trial_logs import MAX_LINE, readable

EDGE = 100
"""Lines that are kept from the beginning, and as many from the end."""

_MAX_BYTES = 4 * (MAX_LINE + 1)
"""Of a line, what may show: a character has four bytes at most."""

_MAX_OPEN_BYTES = 2**16
"""Of a line that has no end yet; of a longer one only its last look and the beginning of that are kept."""


@dataclass(frozen=True)
class Lines:
    """Lines one after the other.

    Args:
        first: The number of the first of them.
        texts: Of each.
    """

    first: int
    texts: Sequence[str]


class Window:
    """Cuts what a process writes into lines, and keeps some of them. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open = b""
        self._seen = 0
        self._taken = 0
        self._first: list[bytes] = []
        self._last: deque[bytes] = deque(maxlen=EDGE)

    def add(self, written: bytes) -> None:
        """Take in what was written next."""
        with self._lock:
            *ended, self._open = (self._open + written).split(b"\n")
            if len(self._open) > _MAX_OPEN_BYTES:
                self._open = _shown(self._open)
            self._seen += len(ended)
            room = EDGE - len(self._first)
            self._first += map(_shown, ended[:room])
            self._last.extend(map(_shown, ended[room:][-EDGE:]))

    def take(self, *, is_over: bool = False) -> list[Lines]:
        """Return what was kept of the lines since the last time; at the end, the one that has no end too."""
        if is_over and self._open:
            self.add(b"\n")
        with self._lock:
            found = [Lines(self._taken, [*map(_text, self._first)])] if self._first else []
            if self._last:
                found.append(Lines(self._seen - len(self._last), [*map(_text, self._last)]))
            self._taken = self._seen
            self._first.clear()
            self._last.clear()
        return found


def _shown(line: bytes) -> bytes:
    """Return what a terminal shows of a line that was written over, as long as it can be."""
    return line.rstrip(b"\r").rpartition(b"\r")[2][:_MAX_BYTES]


def _text(line: bytes) -> str:
    return readable(line.decode(errors="replace"))
