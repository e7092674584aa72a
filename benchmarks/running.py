"""The real service and a real worker, as processes that end with their block."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from trimtab.client import Client
from trimtab.errors import Unavailable, Unreachable

TOKEN = "ttk_of-the-benchmarks-and-of-no-other"  # noqa: S105  # a service on loopback, for as long as the benchmark runs

_PATIENCE_SECONDS = 60


@contextmanager
def service(database_url: str) -> Iterator[str]:
    """Run the service; give its URL once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        "TRIMTAB_DATABASE_URL": database_url,
        "TRIMTAB_ADMIN_TOKEN": TOKEN,
        "TRIMTAB_PORT": str(port),
    }
    with _process("service", environment):
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(url))
        yield url


@contextmanager
def worker(server: str, folder: str, *arguments: str) -> Iterator[None]:
    """Run a worker of that service, its files in `folder`."""
    environment = {"TRIMTAB_SERVER": server, "TRIMTAB_TOKEN": TOKEN, "TRIMTAB_DATA_DIR": folder}
    with _process("workers", environment, *arguments):
        yield


def wait_for(is_true: Callable[[], bool], *, seconds: float = _PATIENCE_SECONDS) -> None:
    """Look until it is true.

    Raises:
        TimeoutError: It was not in time.
    """
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(0.05)


@contextmanager
def _process(module: str, own: dict[str, str], *arguments: str) -> Iterator[None]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")} | own
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    with suppress(Unreachable, Unavailable), Client(url, TOKEN) as client:
        list(client.studies(limit=1))
        return True
    return False
