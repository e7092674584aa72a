"""What is to be done later, and when."""

import heapq
import time
from collections.abc import Callable
from itertools import count

Action = Callable[[], object]


class Agenda:
    """Actions, each at its time. Nothing happens but in `run_due`."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Action]] = []
        self._numbers = count()

    def add(self, seconds: float, action: Action) -> None:
        """Have something done in so many seconds."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), action))

    def run_due(self) -> None:
        """Do what is due now."""
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[-1]()
