"""A cluster of databases in a folder: made once, started, stopped."""

import logging
import os
import shlex
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from service.embedded.programs import Programs
from trimtab.errors import Misconfigured

PORT = 5432
"""Part of the socket's name; nothing listens on the network."""

# Recovery after a crash reads at most max_wal_size, 1 GB: a minute on a slow disk.
_PATIENCE_SECONDS = 300
_POLL_SECONDS = 0.05

# Of a socket's path in bytes, with its closing NUL: 104 on macOS, 108 on Linux.
_MAX_SOCKET_PATH = 103

# Of postmaster.pid, which says: process, folder, start, port, folder of the socket, and more.
_SOCKET_LINE = 4

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cluster:
    """The cluster in `folder`, which only one process at a time may create, start or stop."""

    folder: Path
    programs: Programs

    def create(self) -> None:
        """Create the cluster where there is none. One killed half-way leaves no cluster.

        Raises:
            Misconfigured: initdb failed.
        """
        if (self.folder / "PG_VERSION").exists():
            return
        half = self.folder.with_name(f"{self.folder.name}.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        self.programs.own(half)
        # Trust is given to whoever can open the socket, which lies in a folder that is the owner's alone.
        # No locale: a machine's LANG may name one that it does not have.
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale")
        self.programs.run("initdb", "-D", ".", *options, inside=half)
        half.rename(self.folder)

    def start(self) -> None:
        """Start the server unless it runs, and return when it answers.

        Raises:
            Misconfigured: It does not start or does not answer.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not self._answers():
            if not self._is_alive():
                self._launch()
            elif time.monotonic() > deadline:
                raise Misconfigured(f"the PostgreSQL in {self.folder} does not answer; see {self.folder}/log")
            else:
                time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server if it runs; return when it has stopped."""
        if not self._is_alive():
            return
        socket_folder = self.socket_folder()
        try:
            self._control("-m", "fast", "stop")
        except Misconfigured:
            if self._is_alive():
                raise
        if socket_folder != self.folder:
            shutil.rmtree(socket_folder, ignore_errors=True)
        _log.info("PostgreSQL in %(folder)s stopped", {"folder": self.folder})

    def socket_folder(self) -> Path:
        """Return the folder of the running server's socket."""
        notes = self._notes()
        if (self.folder / f".s.PGSQL.{PORT}").exists() or len(notes) <= _SOCKET_LINE:
            return self.folder
        return Path(notes[_SOCKET_LINE])

    def _launch(self) -> None:
        # What it says is not so: the machine or the server was killed, and its number may by now be that
        # of another process, for which PostgreSQL would refuse to start.
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        socket_folder = self._make_socket_folder()
        settings = {"listen_addresses": "", "port": PORT, "unix_socket_directories": socket_folder}
        options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())
        try:
            self._control("-l", "log", "-o", options, "start")
        except Misconfigured as error:
            said = (self.folder / "log").read_text(errors="replace").strip().rpartition("\n")[2]
            raise Misconfigured(f"the PostgreSQL in {self.folder} does not start: {said}") from error
        _log.info("PostgreSQL in %(folder)s started", {"folder": self.folder})

    def _control(self, *arguments: str) -> None:
        self.programs.run("pg_ctl", "-D", ".", "-w", "-t", str(_PATIENCE_SECONDS), *arguments, inside=self.folder)

    def _make_socket_folder(self) -> Path:
        # A comma separates hosts in a URL.
        path = self.folder / f".s.PGSQL.{PORT}"
        if len(os.fsencode(path)) <= _MAX_SOCKET_PATH and "," not in str(path):
            return self.folder
        # Not the folder that TMPDIR names, which may be as deep.
        made = Path(tempfile.mkdtemp(prefix="trimtab-", dir="/tmp"))
        self.programs.own(made)
        return made

    def _answers(self) -> bool:
        host = str(self.socket_folder())
        return self.programs.succeeds("pg_isready", "-h", host, "-p", str(PORT), inside=self.folder)

    def _is_alive(self) -> bool:
        """Return whether the process that postmaster.pid names is there and works in our folder."""
        try:
            return bool(psutil.Process(int(self._notes()[0])).cwd() == str(self.folder))
        except (IndexError, ValueError, psutil.Error):
            return False

    def _notes(self) -> list[str]:
        """Return the lines of postmaster.pid; none where the server was stopped, or never started."""
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
