"""Work that a replica does in the background, again and again."""

import logging
import threading
from collections.abc import Callable

from trimtab.errors import Unavailable

STOP_SECONDS = 5.0
"""How long a replica that goes down waits for what is under way; another, or the next start, does what is left."""

_log = logging.getLogger(__name__)


class Periodic:
    """A thread that works at once when it is started, and then every so often until it is stopped.

    Args:
        name: Of the work.
        work: What is done.
        seconds: From the end of it to the next beginning.
    """

    def __init__(self, name: str, work: Callable[[], object], *, seconds: float) -> None:
        self._name = name
        self._work = work
        self._seconds = seconds
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is under way."""
        self._is_stopping.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while True:
            try:
                self._work()
            except Unavailable as error:
                _log.warning("%(work)s: %(error)s", {"work": self._name, "error": error})
            except Exception:  # noqa: BLE001  # were it to end, it would never be done again
                _log.exception("%(work)s failed", {"work": self._name})
            if self._is_stopping.wait(self._seconds):
                return
