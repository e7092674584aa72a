"""Lines that wait to be sent: the first and the last, in little memory."""

import threading
from collections import deque
from itertools import groupby

from workers.window import EDGE, Lines

Numbered = tuple[int, str]


class Backlog:
    """Keeps the first lines that came since somebody took them, and the last. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._first: list[Numbered] = []
        self._last: deque[Numbered] = deque(maxlen=EDGE)

    def add(self, lines: Lines) -> None:
        """Take in what came next."""
        numbered = [*enumerate(lines.texts, start=lines.first)]
        with self._lock:
            room = EDGE - len(self._first)
            self._first += numbered[:room]
            self._last.extend(numbered[room:])

    def take(self) -> list[Lines]:
        """Return what was kept since the last time, each part without a gap."""
        with self._lock:
            kept = [*self._first, *self._last]
            self._first.clear()
            self._last.clear()
        # Of lines without a gap, number and place differ by the same.
        parts = groupby(enumerate(kept), key=lambda at: at[1][0] - at[0])
        return [_joined([numbered for _, numbered in part]) for _, part in parts]


def _joined(numbered: list[Numbered]) -> Lines:
    return Lines(numbered[0][0], [text for _, text in numbered])
