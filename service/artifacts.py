"""Files that are too large for the database: on this machine, or wherever an fsspec URL points.

A name is never used twice, and a file counts when a row in the database names it: one that was not written to its end
is named by none.
"""

import errno
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import fsspec

from trimtab.errors import Misconfigured, Unavailable


class Artifacts:
    """A folder of files.

    Args:
        url: Of the folder.

    Raises:
        Misconfigured: It is no URL that can be used.
    """

    def __init__(self, url: str) -> None:
        try:
            # Any: fsspec has no types.
            files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise Misconfigured(f"TRIMTAB_ARTIFACTS cannot be used: {error}") from error
        self._files: Any = files
        self._root: str = root.rstrip("/")

    def create(self, path: str) -> IO[bytes]:
        """Return a new file for writing; `keep` it when it is written.

        Raises:
            Unavailable: The store is away or full.
        """
        whole = f"{self._root}/{path}"
        with translated():
            self._files.makedirs(whole.rpartition("/")[0], exist_ok=True)
            file: IO[bytes] = self._files.open(whole, "wb")
        return file

    def open(self, path: str) -> IO[bytes]:
        """Return a file for reading.

        Raises:
            FileNotFoundError: There is none.
            Unavailable: The store is away.
        """
        with translated(but=FileNotFoundError):
            file: IO[bytes] = self._files.open(f"{self._root}/{path}", "rb")
        return file

    def delete(self, path: str) -> None:
        """Delete a file; one that is not there is as good.

        Raises:
            Unavailable: The store is away.
        """
        try:
            with translated(but=FileNotFoundError):
                self._files.rm_file(f"{self._root}/{path}")
        except FileNotFoundError:
            return

    def delete_all(self, paths: Iterable[str]) -> None:
        """Delete each of these files.

        Raises:
            Unavailable: The store is away; those before are deleted.
        """
        for path in paths:
            self.delete(path)

    def paths(self) -> list[str]:
        """Return every file.

        Raises:
            Unavailable: The store is away.
        """
        with translated():
            found: list[str] = self._files.find(self._root) if self._files.exists(self._root) else []
        return [path.removeprefix(self._root).lstrip("/") for path in found]


@contextmanager
def translated(*, but: type[OSError] | tuple[()] = ()) -> Iterator[None]:
    """Say of a store that is away, full or broken that it is unavailable.

    Args:
        but: What is said of a file and not of the store: it passes.

    Raises:
        Unavailable: It is.
    """
    try:
        yield
    except but:
        raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unavailable(f"the store of files is away or full: {reason}", retry_after=1) from error


def keep(file: IO[bytes]) -> None:
    """Close a file that is written to its end; on this machine it is then on disk."""
    file.flush()
    if (descriptor := _descriptor(file)) is not None:
        os.fsync(descriptor)
    file.close()


def is_damage(error: Unavailable, file: IO[bytes]) -> bool:
    """Return whether a file is on a disk that cannot read it any more. Of what is elsewhere nobody knows."""
    # fsspec's stores say EIO of every answer that they do not know.
    is_failure = isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EIO
    return is_failure and _descriptor(file) is not None


def fresh_name() -> str:
    """Return a name that no other file has, and that says when it was made."""
    return f"{int(time.time())}-{secrets.token_hex(8)}"


def age_of(path: str) -> float | None:
    """Return how long ago this name was made, in seconds; None: it is none of ours."""
    made_at = path.rpartition("/")[2].partition("-")[0]
    return time.time() - int(made_at) if made_at.isdecimal() else None


def _descriptor(file: IO[bytes]) -> int | None:
    try:
        return file.fileno()
    except (AttributeError, OSError):
        return None
