"""The files of data sets on this machine: each is fetched once, by whichever worker needs it first."""

import fcntl
import hashlib
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trimtab.client import Client
from trimtab.data import DataSpec
from trimtab.errors import Damaged, InternalError, TrimtabError, Unauthorized
from trimtab.patience import PASSING
from workers.drain import Drain
from workers.patience import patiently

MOST_BYTES = 20 * 2**30
"""That stay on this machine when they are not needed."""

_PASSING = (*PASSING, InternalError)
"""A service that fails once says nothing of the data set."""

_ROUNDS = 3
_PAUSE_SECONDS = 10.0
"""Between downloads, of which a round has several, of a file that arrives damaged."""

_IN_USE_SECONDS = 3600.0
"""What was asked for so recently may be about to be read."""

_log = logging.getLogger(__name__)


class DatasetUnavailable(Exception):
    """The service refuses a data set, or sends a damaged one each time. The message says which, and why."""


class DatasetNotKept(Exception):
    """This machine has no place for a data set, or cannot read it: another one may. The message says which, and why."""


class Datasets:
    """Keeps data sets in a folder that workers of one machine share.

    Args:
        client: To the service.
        folder: Where they are, by their hash. It is made when it is needed.
        most_bytes: Beyond that those that were not used for longest are deleted.
    """

    def __init__(self, client: Client, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._client = client
        self._folder = folder
        self._most_bytes = most_bytes
        self._whole: dict[Path, tuple[int, int, int]] = {}

    def fetch(self, spec: DataSpec, drain: Drain) -> dict[str, Path]:
        """Return the files of the data sets that are not built in, by name; fetch those that are not there, or torn.

        Raises:
            DatasetUnavailable: The service refuses one, or it arrives damaged each time.
            DatasetNotKept: One cannot be written on this machine.
            TrimtabError: The token is not valid, or the worker drains and had no answer.
        """
        files = {name: self._folder / f"{sha256}.npz" for name, sha256 in spec.contents.items()}
        for name, sha256 in spec.contents.items():
            try:
                self._fetch(name, sha256, files[name], drain)
            except (*_PASSING, Unauthorized):
                raise
            except TrimtabError as error:
                raise DatasetUnavailable(f"the data set {name} cannot be fetched: {error}") from error
            except OSError as error:
                raise DatasetNotKept(f"the data set {name} cannot be kept on this machine: {error}") from error
        return files

    def _fetch(self, name: str, sha256: str, path: Path, drain: Drain) -> None:
        if not self._is_whole(path, sha256):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _alone(self._folder):
                # Another worker may have fetched it meanwhile.
                if not self._is_whole(path, sha256):
                    self._download(name, sha256, path, drain)
                    _log.info("data set %(dataset)s fetched: %(path)s", {"dataset": name, "path": path})
                    self._delete_old(path)

    def _download(self, name: str, sha256: str, path: Path, drain: Drain) -> None:
        """Fetch a file, however long the service is away, but not for ever where it arrives damaged."""
        for left in reversed(range(_ROUNDS)):
            try:
                patiently(lambda: self._client.fetch_dataset(name, sha256, path), drain, passing=_PASSING)
            except Damaged as error:
                if not left:
                    raise
                _log.warning("%(error)s; trying again", {"error": error})
                drain.wait(_PAUSE_SECONDS)
            else:
                return

    def _is_whole(self, path: Path, sha256: str) -> bool:
        """Return whether a file has its content. One that is as it was when it was last looked at has.

        It is in use from then on: that comes first, so that no other worker deletes what this one has found.
        """
        try:
            known = path.stat()
            os.utime(path, ns=(time.time_ns(), known.st_mtime_ns))
            signature = (known.st_ino, known.st_size, known.st_mtime_ns)
            if self._whole.get(path) == signature:
                return True
            with path.open("rb") as file:
                is_whole = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False
        if is_whole:
            self._whole[path] = signature
        return is_whole

    def _delete_old(self, newest: Path) -> None:
        """Delete what was not used for longest until the rest is not too much, but nothing that may be in use."""
        found = sorted((file.stat().st_atime, file.stat().st_size, file) for file in self._folder.glob("*.npz*"))
        excess = sum(size for _, size, _ in found) - self._most_bytes
        for _, size, file in found:
            if excess > 0 and file != newest and time.time() - _used_at(file) > _IN_USE_SECONDS:
                file.unlink(missing_ok=True)
                excess -= size


def _used_at(file: Path) -> float:
    """Return when a file was last used, now that it may be deleted: others use them meanwhile."""
    return file.stat().st_atime


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other worker, or slot, fetches to this folder."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
