"""API replicas as processes, each on a port of its own, which are killed and come back."""

import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from signal import SIGKILL, SIGTERM

REPOSITORY = Path(__file__).parents[3]
_STOP_SECONDS = 60.0
_HERE = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Replica:
    """One of them.

    Args:
        port: Its own, also while it is away.
        environment: All of it, but the port.
        log: Where what it says goes, of all its lives.
    """

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        self.port = port
        self._environment = {**environment, "TRIMTAB_PORT": str(self.port)}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether its process is there: serving, or about to."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it serves a few seconds later."""
        command = [sys.executable, "-m", "tests.reliability.chaos.bound"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log)

    def is_serving(self) -> bool:
        """Return whether it answers, be its database there or not."""
        try:
            with _HERE.open(f"http://127.0.0.1:{self.port}/healthz", timeout=0.5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it."""
        self._end(SIGKILL)

    def stop(self) -> int:
        """Ask it to go down; return its exit code. One that does not is killed."""
        return self._end(SIGTERM)

    def _end(self, signal: int) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(signal)
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
