"""PostgreSQL for one machine, with nothing to install: it comes in a wheel and lives in a folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import sqlalchemy as sa

from service.embedded import programs
from service.embedded.cluster import PORT, Cluster
from trimtab.errors import Misconfigured


class Embedded:
    """A use of the embedded database. The last one to be closed stops the server.

    Each use holds a shared lock on a file; the kernel lets go of it however the process ends, so a killed
    service counts no longer, and the server that it left is the next one's.

    Args:
        cluster: Its server runs.
        users: The locked file.
    """

    def __init__(self, cluster: Cluster, users: IO[bytes]) -> None:
        self._cluster = cluster
        self._users = users
        query = {"host": str(cluster.socket_folder()), "port": str(PORT)}
        url = sa.URL.create("postgresql+psycopg2", username="postgres", database="postgres", query=query)
        self.url = url.render_as_string(hide_password=False)

    def close(self) -> None:
        """End this use. Twice is the same as once."""
        if self._users.closed:
            return
        with self._users, _alone(self._cluster.folder):
            if _is_last(self._users):
                self._cluster.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def start(data_dir: Path) -> Embedded:
    """Start the database in `data_dir`/postgres, or join it where it runs already.

    Raises:
        Misconfigured: The folder cannot be used, or the server does not start. The message says what to do.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        data_dir = data_dir.resolve()
        cluster = Cluster(data_dir / "postgres", programs.find(data_dir))
        with _alone(cluster.folder):
            cluster.create()
            cluster.start()
            return _join(cluster)
    except OSError as error:
        raise Misconfigured(
            f"TRIMTAB_DATA_DIR={data_dir} cannot be used: {error.strerror}: {error.filename}; "
            "choose a folder that can be written, or set TRIMTAB_DATABASE_URL"
        ) from error


def _join(cluster: Cluster) -> Embedded:
    users = _lock_file(cluster.folder, "users")
    fcntl.flock(users, fcntl.LOCK_SH)
    return Embedded(cluster, users)


def _is_last(users: IO[bytes]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else starts or stops the server, and keep everybody from it."""
    with _lock_file(folder, "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_file(folder: Path, kind: str) -> IO[bytes]:
    return folder.with_name(f"{folder.name}.{kind}").open("ab")
