"""Which slots have work, and since when none has."""

import threading
import time


class Activity:
    """What the slots of a worker are at. At first all of them are busy: they start."""

    def __init__(self, slots: int) -> None:
        self._busy = set(range(slots))
        self._idle_since = time.monotonic()
        self._lock = threading.Lock()

    def busy(self, slot: int) -> None:
        """Note that this slot has work."""
        with self._lock:
            self._busy.add(slot)

    def idle(self, slot: int) -> None:
        """Note that this slot has none."""
        with self._lock:
            if self._busy == {slot}:
                self._idle_since = time.monotonic()
            self._busy.discard(slot)

    @property
    def idle_seconds(self) -> float:
        """How long there has been no work; 0 while a slot has some."""
        with self._lock:
            return 0.0 if self._busy else time.monotonic() - self._idle_since
