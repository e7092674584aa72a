"""Files on their way into the store and out of it: streamed, hashed, limited, whole or not at all."""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO

from service import artifacts
from service.artifacts import Artifacts
from service.calls import Away
from service.database import Held
from service.once import Replayed
from trimtab.errors import BodyTooLarge, Invalid, Refused, Unavailable
from trimtab.protocol import FieldProblem

CHUNK_BYTES = 2**20

OF_CHECKPOINTS = "TRIMTAB_MAX_CHECKPOINT_BYTES"
OF_DATASETS = "TRIMTAB_MAX_DATASET_BYTES"
"""Settings that limit files."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredFile:
    """A file that is written to its end.

    Args:
        sha256: In hexadecimal.
        size: In bytes.
        path: In the store.
    """

    sha256: str
    size: int
    path: str


@dataclass(frozen=True)
class Limit:
    """How large a file may be.

    Args:
        what: It is, for people: `the checkpoint`.
        max_bytes: That it may have.
        setting: Where the operator says so.
    """

    what: str
    max_bytes: int
    setting: str

    def check(self, size: int) -> None:
        """Return if a file may have so many bytes.

        Raises:
            BodyTooLarge: It may not.
        """
        if size > self.max_bytes:
            raise BodyTooLarge(f"{self.what} may have {self.max_bytes} bytes ({self.setting})")


class Incoming:
    """A file that comes in pieces: counted and hashed as it is written, and never held.

    Args:
        file: Where to.
        limit: How large it may be; None: it is known to be no larger than it may.
    """

    def __init__(self, file: IO[bytes], limit: Limit | None = None) -> None:
        self._file = file
        self._limit = limit
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> bytes:
        """The SHA-256 of what came so far."""
        return self._hash.digest()

    def take(self, chunk: bytes) -> None:
        """Write what comes next.

        Raises:
            BodyTooLarge: That is more than it may be.
            Unavailable: The disk or the store is away or full.
        """
        self.size += len(chunk)
        if self._limit:
            self._limit.check(self.size)
        self._hash.update(chunk)
        with artifacts.translated():
            self._file.write(chunk)


class Upload:
    """A file on its way into the store.

    Args:
        store: Where to.
        path: There.
        limit: How large it may be.
        sha256: That it has to have.
    """

    def __init__(self, store: Artifacts, path: str, *, limit: Limit, sha256: str) -> None:
        self._store = store
        self._path = path
        self._what = limit.what
        self._sha256 = sha256
        self._file = store.create(path)
        self._incoming = Incoming(self._file, limit)

    def take(self, chunk: bytes) -> None:
        """Write what comes next.

        Raises:
            BodyTooLarge, Unavailable: As Incoming.
        """
        self._incoming.take(chunk)

    def finish(self) -> StoredFile:
        """Close the file.

        Raises:
            Invalid: It is not the one that was announced.
            Unavailable: The store is away or full.
        """
        size = self._incoming.size
        if not size or self._incoming.digest.hex() != self._sha256:
            problem = FieldProblem(field="sha256", message=f"is not that of the body of {size} bytes")
            raise Invalid(f"what came is not {self._what} that was announced", errors=[problem])
        with artifacts.translated():
            artifacts.keep(self._file)
        return StoredFile(self._sha256, size, self._path)

    def discard(self) -> None:
        """Delete what was written."""
        with suppress(OSError):
            self._file.close()
        delete(self._store, [self._path])


@contextmanager
def recording(store: Artifacts, path: str) -> Iterator[None]:
    """Delete a file again if it is not recorded after all.

    Where a commit may have been under way, whether a row names it is unknown: then it stays.
    """
    try:
        yield
    except (Refused, Replayed) as error:
        if isinstance(error, Held | Away) or not isinstance(error, Unavailable):
            delete(store, [path])
        raise


def delete(store: Artifacts, paths: Iterable[str]) -> None:
    """Delete files that no row names; those that cannot be deleted now are litter."""
    try:
        store.delete_all(paths)
    except Unavailable as error:
        _log.warning("files are left for later: %(error)s", {"error": error})


def whole(store: Artifacts, path: str, *, sha256: str) -> IO[bytes] | None:
    """Return a file, at its beginning; None: it is not there, or not what was written.

    Raises:
        Unavailable: The store is away.
    """
    try:
        file = store.open(path)
    except FileNotFoundError:
        return None
    if _hash_of(file) == sha256:
        file.seek(0)
        return file
    file.close()
    return None


def content(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what is in a file, and close it."""
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _hash_of(file: IO[bytes]) -> str | None:
    """Return the SHA-256 of what is in a file; None: its disk cannot read it any more."""
    found = hashlib.sha256()
    try:
        with artifacts.translated():
            while chunk := file.read(CHUNK_BYTES):
                found.update(chunk)
    except Unavailable as error:
        if artifacts.is_damage(error, file):
            return None
        raise
    return found.hexdigest()
