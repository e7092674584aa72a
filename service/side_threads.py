"""Few threads for what takes long: it takes none of those that answer, and a process that ends does not wait for it."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from trimtab.errors import Unavailable

Result = TypeVar("Result")


class SideThreads:
    """Does one piece of work after the other, from any thread; with nothing to do there are no threads.

    Those of a `ThreadPoolExecutor` would be waited for when Python ends, and all that they have not begun as well.

    Args:
        most: Pieces at once.
        name: Of each thread.
    """

    def __init__(self, most: int, *, name: str) -> None:
        self._most = most
        self._name = name
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._busy = 0
        self._is_closed = False

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Return what will hold the result of `work`, or what it raises; Unavailable where it is not begun any more."""
        future: Future[Result] = Future()
        with self._lock:
            if not self._is_closed:
                self._waiting.append((future, work))
                self._let_work()
                return future
        future.set_exception(_closed())
        return future

    def close(self) -> None:
        """Begin nothing any more. What is under way goes on."""
        with self._lock:
            self._is_closed = True
            left = list(self._waiting)
            self._waiting.clear()
        for future, _ in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(_closed())

    def _let_work(self) -> None:
        if self._busy < self._most:
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
            self._busy += 1

    def _run(self) -> None:
        while next_one := self._next():
            future, work = next_one
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001  # it is for whoever waits
                future.set_exception(error)

    def _next(self) -> tuple[Future[Any], Callable[[], Any]] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._busy -= 1
            return None


def _closed() -> Unavailable:
    return Unavailable("the service is going down", retry_after=1)
