"""The real service and real workers, as processes and threads that end with their test."""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from signal import Signals
from typing import TypeVar

import psutil
import uvicorn

from service.app import create_app
from service.artifacts import Artifacts
from service.database import connect
from service.replica import Replica
from service.tokens import Tokens

REPOSITORY = Path(__file__).parents[2]
TOKEN = "ttk_of-the-tests-and-of-nobody-else"

LONGEST_PAUSE_SECONDS = 0.1
"""Between two looks at what is waited for."""

PATIENCE_SECONDS = 180.0
"""Until what is waited for will never come, on a machine however busy."""

Found = TypeVar("Found")


def wait_for(find: Callable[[], Found | None], *, seconds: float = PATIENCE_SECONDS) -> Found:
    """Look until there is something to be found: less and less often, since who looks takes time from who works."""
    deadline = time.monotonic() + seconds
    pause = 0.01
    while not (found := find()):
        assert time.monotonic() < deadline, f"not within {seconds:g} s"
        time.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE_SECONDS)
    return found


@contextmanager
def serving(
    database_url: str,
    *,
    lease_seconds: float = 30.0,
    port: int = 0,
    artifacts: str = "memory://trimtab",
    max_checkpoint_bytes: int = 2**30,
) -> Iterator[str]:
    """Serve on this machine; give the URL."""
    replica = Replica(
        connect(database_url),
        lease_seconds,
        artifacts=Artifacts(artifacts),
        max_checkpoint_bytes=max_checkpoint_bytes,
    )
    config = uvicorn.Config(
        create_app(replica, Tokens(TOKEN)), log_config=None, access_log=False, timeout_graceful_shutdown=60
    )
    with (
        socket.create_server(("127.0.0.1", port)) as listener,
        _listening(uvicorn.Server(config), listener),
        closing(replica),
    ):
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def _listening(server: uvicorn.Server, listener: socket.socket) -> Iterator[None]:
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        wait_for(lambda: server.started)
        yield
    finally:
        server.should_exit = True
        thread.join()


def is_gone(process: psutil.Process) -> bool:
    """Return whether a process has ended, be it that nobody has asked how."""
    try:
        return bool(not process.is_running() or process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@dataclass(frozen=True)
class Cue:
    """Has a worker signal itself as soon as it has logged something so often: no test looks too late.

    Args:
        logger: Whose lines count.
        part: Of those lines.
        times: How many of them.
        signal: That it sends itself.
    """

    logger: str
    part: str
    times: int
    signal: Signals

    def code(self) -> str:
        """Return what the worker runs first."""
        return f"""
import itertools, logging, os

class Cue(logging.Handler):
    heard = itertools.count(1)
    def emit(self, record):
        if {self.part!r} in record.getMessage() and next(self.heard) == {self.times}:
            os.kill(os.getpid(), {int(self.signal)})

logging.getLogger({self.logger!r}).addHandler(Cue())
"""


@dataclass(frozen=True)
class Worker:
    """A worker that was started.

    Args:
        process: The worker itself.
        log: Where its standard error goes.
    """

    process: psutil.Popen
    log: Path

    def signal(self, number: Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return the exit code."""
        return int(self.process.wait(timeout=PATIENCE_SECONDS))

    def child(self) -> psutil.Process:
        """Return the process that trains, of a worker with one slot."""
        (child,) = self.process.children()
        return child

    def said(self) -> str:
        return self.log.read_text()


@dataclass(frozen=True)
class Workers:
    """Starts workers, and lets none outlive its test."""

    folder: Path
    ending: ExitStack
    numbers: Iterator[int] = field(default_factory=count)

    def start(
        self,
        server: str,
        *arguments: str,
        token: str = TOKEN,
        constants: Mapping[str, float] | None = None,
        cue: Cue | None = None,
    ) -> Worker:
        """Start `python -m workers`, where need be with other constants, given by module and name, or with a cue."""
        log = self.folder / f"worker{next(self.numbers)}.log"
        with log.open("w") as output:
            process = psutil.Popen(
                [sys.executable, *program(constants, cue), *arguments],
                cwd=REPOSITORY,
                env=os.environ
                | {"TRIMTAB_SERVER": server, "TRIMTAB_TOKEN": token, "TRIMTAB_DATA_DIR": str(self.folder)},
                stderr=output,
            )
        self.ending.callback(_kill, process)
        return Worker(process, log)


def program(constants: Mapping[str, float] | None = None, cue: Cue | None = None) -> list[str]:
    """Return how Python is told to be a worker."""
    if not constants and not cue:
        return ["-m", "workers"]
    lines = [f"import {name.rpartition('.')[0]}; {name} = {value}" for name, value in (constants or {}).items()]
    said = [cue.code()] if cue else []
    return ["-c", "\n".join([*lines, *said, "import sys, workers.__main__", "sys.exit(workers.__main__.main())"])]


def _kill(process: psutil.Popen) -> None:
    with suppress(psutil.NoSuchProcess):
        for member in (*process.children(), process):
            with suppress(psutil.NoSuchProcess):
                member.kill()
    process.wait()
