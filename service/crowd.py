"""Keeps the calls on one study from taking all connections when somebody holds what they need."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from service.database import POOL_SIZE, Held

LIMIT = POOL_SIZE // 2
"""Calls on one study that may use the database at once; the other half of the pool is left to the other studies."""

PATIENCE_SECONDS = 0.2
"""Twenty times what a call takes under load: one that is inside for longer waits for somebody."""


class Crowd:
    """The calls on one study that use the database now.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: dict[object, float] = {}
        self._left = threading.Condition()
        self._is_held = False

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Be one of them, as soon as there is room.

        Raises:
            Held: There is none, and those inside seem to wait for somebody.
        """
        call = object()
        self._join(call)
        is_held = False
        try:
            yield
        except Held:
            is_held = True
            raise
        finally:
            with self._left:
                del self._began[call]
                self._is_held = is_held
                self._left.notify()

    def _join(self, call: object) -> None:
        with self._left:
            while len(self._began) >= LIMIT:
                if (patience := self._patience()) <= 0:
                    raise Held("somebody holds this study; try again", retry_after=1)
                self._left.wait(patience)
            self._began[call] = self._clock()

    def _patience(self) -> float:
        """Return how long to wait for room: until the one who is inside longest has been there for too long."""
        if self._is_held:
            return 0.0
        oldest = next(iter(self._began.values()))
        return oldest + PATIENCE_SECONDS - self._clock()
