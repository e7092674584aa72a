"""Wakes requests that wait for something to change. A hint and no more: they look at the database themselves."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Changes:
    """Who waits in this replica. Changes made through another one are found by looking from time to time."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._lock = threading.Lock()
        self.is_closing = False

    @contextmanager
    def awaited(self) -> Iterator[asyncio.Event]:
        """Give an event that is set by every later change. For use on an event loop."""
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.add(waiter)
        try:
            yield waiter[1]
        finally:
            with self._lock:
                self._waiting.discard(waiter)

    def announce(self) -> None:
        """Wake everybody. From any thread."""
        with self._lock:
            for loop, event in self._waiting:
                loop.call_soon_threadsafe(event.set)

    def close(self) -> None:
        """Wake everybody, for the last time."""
        self.is_closing = True
        self.announce()
