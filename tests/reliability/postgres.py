"""A PostgreSQL of a test's own, which it may stop, crash and cut off."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from service import embedded
from service.embedded.cluster import Cluster
from tests.reliability.relay import Connect
from tests.service import record

_PATIENCE_SECONDS = 60.0

_OTHERS = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"


@dataclass(frozen=True)
class Postgres:
    """A server.

    Args:
        url: Of its database.
        cluster: Starts and stops it.
    """

    url: str
    cluster: Cluster

    def restart(self) -> None:
        """End all sessions, and start again."""
        self.cluster.stop()
        self.cluster.start()

    def crash(self) -> None:
        """Stop without writing anything down, and recover from the log."""
        self.cluster._control("-m", "immediate", "stop")
        self.cluster.start()

    def kill_a_session(self) -> None:
        """Kill the process of a session: PostgreSQL then ends all others, and recovers."""
        with self.administrator() as engine:
            victim = record.value(engine, f"SELECT max(pid) FROM pg_stat_activity WHERE {_OTHERS}")
        assert isinstance(victim, int)
        process = psutil.Process(victim)
        process.kill()
        # Until the server has seen it, which then ends all others, it answers as if nothing had happened.
        process.wait(_PATIENCE_SECONDS)
        self.cluster.start()

    def terminate_sessions(self) -> None:
        """End each session, as an administrator would."""
        with self.administrator() as engine:
            terminate_sessions(engine)

    @contextmanager
    def administrator(self) -> Iterator[sa.Engine]:
        """Give connections of nobody else's."""
        engine = sa.create_engine(self.url, poolclass=NullPool)
        yield engine
        engine.dispose()


@contextmanager
def postgres(data_dir: Path) -> Iterator[Postgres]:
    """Run a server in a folder."""
    with embedded.start(data_dir) as running:
        yield Postgres(running.url, running._cluster)


def terminate_sessions(engine: sa.Engine, *, that_wait: bool = False) -> int:
    """End the other sessions on a database, as an administrator would; return how many there were.

    Args:
        engine: On that database.
        that_wait: Only those that wait for a lock.
    """
    which = f"{_OTHERS} AND wait_event_type = 'Lock'" if that_wait else _OTHERS
    count = f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {which}"
    ended = record.value(engine, count)
    assert isinstance(ended, int)
    return ended


def connect_to(url: str) -> Connect:
    """Return how to connect to the socket of a database's server."""
    query = sa.make_url(url).query
    path = f"{query['host']}/.s.PGSQL.{query['port']}"

    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(path)
        return made

    return connect


def through(url: str, port: int) -> str:
    """Return the URL of a database by way of a relay that listens on this port."""
    way = {"sslmode": "disable", "gssencmode": "disable"}
    found = sa.make_url(url).set(host="127.0.0.1", port=port, query=way)
    return found.render_as_string(hide_password=False)


def mount(folder: Path, *, megabytes: int) -> bool:
    """Mount a small file system on a folder; return False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    """Undo it."""
    subprocess.run(["umount", str(folder)], check=True)
