"""Temporary folders that are swept up after a process that was killed: whoever lives in one holds its lock."""

import fcntl
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path

_PREFIX = "trimtab-put-"

_LOCK = "lock"

_YOUNG_SECONDS = 60.0
"""Its maker may be about to lock a folder that is no older."""

_log = logging.getLogger(__name__)


class Scratch:
    """A folder that goes when it is closed; if the process is killed before, when the next one sweeps.

    Args:
        folder: Where it is.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = (self.folder / _LOCK).open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Delete it with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()


def sweep() -> None:
    """Delete the folders that killed processes of this account have left in the folder for temporary files."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if _is_left(folder):
                shutil.rmtree(folder)
                _log.info("%(folder)s was left by a service that was killed; it is deleted", {"folder": folder})
        except OSError as error:
            _log.warning("%(folder)s cannot be deleted: %(error)s", {"folder": folder, "error": error})


def _is_left(folder: Path) -> bool:
    """Return whether nobody lives in a folder that is ours. Nobody else can move in: each has one of its own."""
    found = folder.lstat()
    if not folder.is_dir() or folder.is_symlink() or found.st_uid != os.geteuid():
        return False
    if time.time() - found.st_mtime < _YOUNG_SECONDS:
        return False
    try:
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
