"""The end of a worker: announced once, heeded everywhere."""

import threading
import time

DRAIN_SECONDS = 5.0
"""An epoch that takes longer than this is cut off: containers are killed 10 s after they were told to stop."""


class Drain:
    """Whether the worker is to end. Begun once, from any thread but not from a signal handler; never undone."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._began_at = 0.0

    def begin(self) -> None:
        """Let nothing new begin, and what is under way end at the next opportunity."""
        self._began_at = time.monotonic()
        self._event.set()

    @property
    def has_begun(self) -> bool:
        """Whether the worker is to end."""
        return self._event.is_set()

    @property
    def is_overdue(self) -> bool:
        """Whether what is still under way is to be cut off."""
        return self.has_begun and time.monotonic() - self._began_at >= DRAIN_SECONDS

    def wait(self, seconds: float) -> None:
        """Pause for so long, or until it begins."""
        self._event.wait(seconds)
