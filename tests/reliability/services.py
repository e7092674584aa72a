"""Replicas as processes of their own: `python -m service`."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psutil

from tests.e2e.running import REPOSITORY, TOKEN, wait_for
from tests.ports import held_port


@dataclass(frozen=True)
class Service:
    """A replica.

    Args:
        process: Of the service.
        port: Where it listens, on this machine.
        log: What it says.
    """

    process: psutil.Popen
    port: int
    log: Path

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Return whether it serves; fail if it has ended."""
        assert self.process.poll() is None, self.log.read_text()
        with suppress(httpx2.TransportError):
            return httpx2.get(f"{self.url}/readyz", trust_env=False, timeout=15).status_code == 200
        return False

    def connect(self) -> socket.socket:
        """Connect to it."""
        return socket.create_connection(("127.0.0.1", self.port))

    def end(self) -> int:
        """Tell it to go down; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return int(self.process.wait(timeout=60))


@dataclass(frozen=True)
class Services:
    """Starts replicas, and lets none outlive its test.

    Args:
        folder: For what they say and keep.
        ending: Ends them.
    """

    folder: Path
    ending: ExitStack

    def start(
        self, database_url: str, *, lease_seconds: int = 30, constants: Mapping[str, object] | None = None
    ) -> Service:
        """Start a replica, where need be with other constants, given by module and name; it may not be ready yet."""
        port = self.ending.enter_context(held_port())
        kept = ("TRIMTAB_LOG_FORMAT", "TRIMTAB_LOG_LEVEL")
        ours = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_") or name in kept}
        settings = {
            "TRIMTAB_DATABASE_URL": database_url,
            "TRIMTAB_DATA_DIR": str(self.folder),
            "TRIMTAB_PORT": str(port),
            "TRIMTAB_ADMIN_TOKEN": TOKEN,
            "TRIMTAB_LEASE_SECONDS": str(lease_seconds),
        }
        log = self.folder / f"service-{port}.log"
        with log.open("w") as output:
            process = psutil.Popen(
                [sys.executable, *_with(constants)], cwd=REPOSITORY, env=ours | settings, stdout=output, stderr=output
            )
        self.ending.callback(_kill, process)
        return Service(process, port, log)

    def start_ready(self, database_url: str, *, constants: Mapping[str, object] | None = None) -> Service:
        """Start a replica; return when it serves."""
        service = self.start(database_url, constants=constants)
        wait_for(service.is_ready, seconds=120)
        return service


@contextmanager
def services(folder: Path) -> Iterator[Services]:
    """Give the means to start replicas."""
    with ExitStack() as ending:
        yield Services(folder, ending)


def _with(constants: Mapping[str, object] | None) -> list[str]:
    if not constants:
        return ["-m", "service"]
    lines = [f"import {name.rpartition('.')[0]}; {name} = {value!r}" for name, value in constants.items()]
    return ["-c", "\n".join([*lines, "import runpy", "runpy.run_module('service', run_name='__main__')"])]


def _kill(process: psutil.Popen) -> None:
    with suppress(psutil.NoSuchProcess):
        process.kill()
    process.wait()
