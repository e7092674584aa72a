"""Child processes that answer orders: few, made when needed, killed when they take too long."""

import os
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

REAP_SECONDS = 60.0
"""Between two looks at who is idle."""

START_SECONDS = 60.0
"""A child that is not ready by then will never be."""

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class NoAnswer(Exception):
    """There is no answer in time. The message says why."""


class TooLate(NoAnswer):
    """A child had its order, and took too long."""


class Children:
    """Children of one kind; for any number of threads.

    Args:
        command: That runs a child; the number of its end of a pipe is added.
        most: Children at once.
        idle_seconds: A child that nobody needed for so long goes.
    """

    def __init__(self, command: Sequence[str], *, most: int, idle_seconds: float) -> None:
        self._command = command
        self._most = most
        self._idle_seconds = idle_seconds
        self._condition = threading.Condition()
        self._idle: list[_Child] = []
        self._busy: list[_Child] = []
        self._is_closed = False

    def prepare(self) -> None:
        """Let there be a child, since one will be needed; do not wait for it, and do not insist."""
        with self._condition, suppress(NoAnswer):
            if not self._idle and not self._busy and not self._is_closed:
                self._idle.append(self._started())

    def answer(self, order: bytes, *, seconds: float) -> bytes:
        """Return a child's answer.

        Raises:
            TooLate: A child had its order, and took too long.
            NoAnswer: None came in so many seconds, none could be started, the child died, or all were killed for good.
        """
        deadline = time.monotonic() + seconds
        try:
            with self._borrowed(deadline) as child:
                child.wait_ready(deadline)
                return child.answer(order, deadline)
        except NoAnswer as error:
            if self._is_closed:
                raise NoAnswer("the service is going down") from error
            raise

    def close(self) -> None:
        """Kill all of them, for good: whoever waits for one hears so at once."""
        with self._condition:
            self._is_closed = True
            for child in self._busy:
                child.interrupt()
            for child in self._idle:
                child.kill()
            self._idle.clear()
            self._condition.notify_all()

    def reap(self) -> None:
        """Kill those that nobody needed for long."""
        with self._condition:
            before = time.monotonic() - self._idle_seconds
            for child in [child for child in self._idle if child.used_at < before]:
                self._idle.remove(child)
                child.kill()

    @contextmanager
    def _borrowed(self, deadline: float) -> Iterator["_Child"]:
        """Give a child that nobody else uses; one that is of no use any more is killed afterwards."""
        child = self._take(deadline)
        try:
            yield child
        finally:
            with self._condition:
                self._busy.remove(child)
                if child.is_usable and not self._is_closed:
                    self._idle.append(child)
                else:
                    child.kill()
                self._condition.notify()

    def _take(self, deadline: float) -> "_Child":
        with self._condition:
            free = self._condition.wait_for(
                lambda: self._is_closed or self._idle or len(self._busy) < self._most,
                timeout=deadline - time.monotonic(),
            )
            if not free or self._is_closed:
                raise NoAnswer("all processes were busy")
            child = self._idle.pop() if self._idle else self._started()
            # Only now: one that cannot be started takes no place.
            self._busy.append(child)
            return child

    def _started(self) -> "_Child":
        try:
            return _Child(self._command)
        except OSError as error:
            raise NoAnswer(f"no process can be started: {error}") from error


class _Child:
    def __init__(self, command: Sequence[str]) -> None:
        self.used_at = self._started_at = time.monotonic()
        self.is_usable = True
        self._is_ready = False
        self._pipe, others = Pipe()
        with others:
            self._process = subprocess.Popen(  # noqa: S603  # this very interpreter, no shell
                [*command, str(others.fileno())],
                pass_fds=[others.fileno()],
                env={name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
                | _ONE_THREAD,
                stdin=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C in a terminal is for the service.
            )

    def wait_ready(self, deadline: float) -> None:
        """Wait until it has started. One that is still starting at the deadline may go on."""
        if self._is_ready:
            return
        if not self._pipe.poll(max(0.0, deadline - time.monotonic())):
            self.is_usable = time.monotonic() - self._started_at < START_SECONDS
            raise NoAnswer("its process was still starting")
        self._receive(self._pipe)
        self._is_ready = True

    def answer(self, order: bytes, deadline: float) -> bytes:
        """Return the answer to an order. Past the deadline the child is of no use any more."""
        self.is_usable = False
        with suppress(OSError):
            self._pipe.send_bytes(order)
        if not self._pipe.poll(max(0.0, deadline - time.monotonic())):
            raise TooLate("its process took too long and was killed")
        answered = self._receive(self._pipe)
        self.is_usable, self.used_at = True, time.monotonic()
        return answered

    def interrupt(self) -> None:
        """End its process, and leave its pipe to whoever waits there."""
        self._process.kill()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._pipe.close()

    def _receive(self, pipe: Connection) -> bytes:
        try:
            return pipe.recv_bytes()
        except (EOFError, OSError):
            self.is_usable = False
            raise NoAnswer(f"its process died: exit status {self._process.wait()}") from None
