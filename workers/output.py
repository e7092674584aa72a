r"""What a child process writes, read as it comes: a child never waits for who reads it.

child --stdout, stderr--> pipe --> Output --> Window of a trial, while one is recorded
                                         \-> the worker's own standard error, between trials
"""

import os
import select
import threading
import time
from contextlib import suppress
from typing import IO

from workers.window import Window

PAUSE_SECONDS = 0.01
"""Between looks: a child that writes line by line would have to wake the reader at each of them. The pipe holds what
is written meanwhile, at up to a hundred megabytes a second."""

PIPE_BYTES = 2**20
"""As much as Linux lets anybody have."""

_READ_BYTES = 2**16
_MOST_READS = 64
"""At one look; of a child that writes all the time the rest comes at the next one."""

_STANDARD_ERROR = 2


class Output:
    """The end of the pipe that a child's standard output and standard error go into.

    Args:
        pipe: To be read; it is closed when the child and all whom it started are gone.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._window: Window | None = None
        self._is_over = False
        os.set_blocking(pipe.fileno(), False)
        _enlarge(pipe)
        threading.Thread(target=self._read_on, name="output", daemon=True).start()

    def record(self) -> Window:
        """Let what is written from now on go into a window."""
        with self._lock:
            self._read()
            self._window = Window()
            return self._window

    def stop(self) -> None:
        """Let the window have what was written so far, and no more."""
        with self._lock:
            self._read()
            self._window = None

    def settle(self) -> None:
        """Read what was written so far."""
        with self._lock:
            self._read()

    def _read_on(self) -> None:
        descriptor = self._pipe.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while not self._is_over:
            poll.poll()
            self.settle()
            time.sleep(PAUSE_SECONDS)
        self._pipe.close()

    def _read(self) -> None:
        with suppress(BlockingIOError):
            for _ in range(0 if self._is_over else _MOST_READS):
                written = os.read(self._pipe.fileno(), _READ_BYTES)
                if not written:
                    self._is_over = True
                    return
                self._hear(written)

    def _hear(self, written: bytes) -> None:
        if self._window:
            self._window.add(written)
            return
        with suppress(OSError):
            os.write(_STANDARD_ERROR, written)


def _enlarge(pipe: IO[bytes]) -> None:
    """Let a pipe hold as much as it can; what it holds by itself will do, but lets a child that writes much wait."""
    import fcntl  # noqa: PLC0415  # not on every system

    with suppress(AttributeError, OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
