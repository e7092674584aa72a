"""Which data sets there are, what is in them, and their files."""

import logging
from typing import IO

from service import files
from service.database import autocommit, transaction
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.storage import audit
from service.storage import datasets as stored
from service.storage.datasets import DatasetRow
from trimtab.data import BUILT_IN
from trimtab.datasets import Dataset, built_in
from trimtab.errors import DatasetBuiltIn, DatasetInUse, DatasetNotFound, Forbidden, Unavailable
from trimtab.protocol import Page
from trimtab.states import TokenKind

_log = logging.getLogger(__name__)


def page(replica: Replica, *, cursor: str | None, limit: int) -> Page[Dataset]:
    """Return a page of the newest versions of data sets, by name, the built-in ones among them.

    Raises:
        Unavailable: The database is away or busy.
    """
    after = cursor or ""
    with autocommit(replica.engine) as connection:
        put = [row.described for row in stored.page(connection, after=after, limit=limit + 1)]
    ready = [found for name in BUILT_IN if name > after and (found := built_in(name))]
    items = sorted([*put, *ready], key=lambda found: found.name)
    return Page(items=items[:limit], next=items[limit - 1].name if len(items) > limit else None)


def read(replica: Replica, name: str) -> Dataset:
    """Return the newest version of a data set.

    Raises:
        DatasetNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    if found := built_in(name):
        return found
    with autocommit(replica.engine) as connection:
        row = stored.newest(connection, name)
    if row is None:
        raise DatasetNotFound(f"there is no data set {name!r}")
    return row.described


def content(replica: Replica, name: str, *, sha256: str | None, principal: Principal) -> tuple[Dataset, IO[bytes]]:
    """Return a version of a data set and its file; without a hash the newest.

    Raises:
        DatasetBuiltIn: It has no file.
        DatasetNotFound: There is none of that name, or none with that content.
        Forbidden: A worker asks for what none of its leases is trained on.
        Unavailable: The database or the store is away.
    """
    require_put(name)
    with autocommit(replica.engine) as connection:
        row = stored.find(connection, name, sha256) if sha256 else stored.newest(connection, name)
        if principal.kind is TokenKind.WORKER:
            assert principal.token_id is not None, "the operator is no worker"
            if row is None or not stored.is_leased(connection, name, row.sha256, token_id=principal.token_id):
                raise Forbidden(f"none of this worker's leases is trained on the data set {name!r} as it is asked for")
    if row is None:
        with_content = " with that content" if sha256 else ""
        raise DatasetNotFound(f"there is no data set {name!r}{with_content}")
    return row.described, _file(replica, row)


def delete(replica: Replica, name: str, *, principal: Principal = OPERATOR) -> None:
    """Delete every version of a data set.

    Raises:
        DatasetBuiltIn: It cannot be deleted.
        DatasetNotFound: There is none of that name.
        DatasetInUse: A study needs it.
        Unavailable: The database is away or busy.
    """
    require_put(name)
    with transaction(replica.engine) as connection:
        # A study that pins one of them holds its row until it is there to be seen.
        paths = stored.lock_all_of(connection, name)
        if not paths:
            raise DatasetNotFound(f"there is no data set {name!r}")
        if study := stored.user_of(connection, name):
            raise DatasetInUse(f"study {study!r} needs the data set {name!r}: delete the study first")
        stored.delete(connection, name)
        audit.note(connection, principal, "delete dataset", name)
    files.delete(replica.artifacts, paths)
    _log.info("data set %(dataset)s is deleted", {"dataset": name})


def require_put(name: str) -> None:
    """Return if a data set of that name is put, and not built in.

    Raises:
        DatasetBuiltIn: It is built in.
    """
    if name in BUILT_IN:
        raise DatasetBuiltIn(f"{name!r} is built in: it has no file, and is neither put nor deleted")


def _file(replica: Replica, row: DatasetRow) -> IO[bytes]:
    try:
        return replica.artifacts.open(row.path)
    except FileNotFoundError as error:
        lost = f"the file of version {row.version} of the data set {row.name!r} is lost: put the same file again"
        raise Unavailable(lost) from error
