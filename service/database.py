"""The connection to PostgreSQL: how long anything may take, and what a failure is called."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
import sqlalchemy as sa
from psycopg2.errors import FeatureNotSupported, LockNotAvailable, ReadOnlySqlTransaction
from sqlalchemy import exc
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext

from service import silence
from service.prepared import prepare
from trimtab.errors import Unavailable

POOL_SIZE = 15
"""Connections of one replica, which has one more; PostgreSQL's default limit of 100 leaves room for six replicas."""

_POOL_SECONDS = 2
"""How long a call waits for a connection of the pool."""

_RETRY_AFTER_SECONDS = 1


class Held(Unavailable):
    """Somebody holds a row that a call needs; nothing else is wrong."""


# A held row lock stops the calls that need that row after 2 s, and no others; no statement of ours takes
# 8 s on a healthy server; a replica that froze in a transaction frees its locks after 15 s.
_OPTIONS = {
    "lock_timeout": "2s",
    "statement_timeout": "8s",
    "idle_in_transaction_session_timeout": "15s",
    "timezone": "UTC",
    "default_transaction_isolation": "read\\ committed",
    # Compiling a plan takes longer than any of ours runs.
    "jit": "off",
}


def connect(url: str | sa.URL, *, size: int = POOL_SIZE) -> sa.Engine:
    """Return the pool of up to `size` connections to the database at `url`.

    It connects when it is first used; the schema must be there then. No connection is tried out before it is given:
    that would cost each call a round trip. The first call that meets a dead one discards all that are as old, and the
    row of liveness is renewed each second, so that is hardly ever a worker's call.
    """
    silence.install()
    engine = sa.create_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_POOL_SECONDS,
        connect_args={
            "application_name": "trimtab",
            "connection_factory": silence.Impatient,
            "options": " ".join(f"-c {name}={value}" for name, value in _OPTIONS.items()),
            # A vanished server is noticed within 10 s, also by a connection that waits for an answer.
            "keepalives_idle": 4,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "handle_error", _discard)
    return engine


def is_lock_timeout(error: BaseException | None) -> bool:
    """Return whether a statement failed because somebody holds a row that it needs."""
    return isinstance(error, exc.DBAPIError) and isinstance(error.orig, LockNotAvailable)


@contextmanager
def autocommit(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection on which each statement is a transaction of its own, committed at once.

    Raises:
        Unavailable: The database is away, busy or out of connections.
    """
    with _translated(), engine.connect() as connection, _committing(connection):
        yield connection


@contextmanager
def _committing(connection: sa.Connection) -> Iterator[None]:
    """Commit each statement. SQLAlchemy's own way takes a round trip more; if that fails, the pool loses a place."""
    driver = connection.connection.driver_connection
    assert driver
    driver.autocommit = True
    try:
        yield
    finally:
        if not driver.closed:
            driver.autocommit = False


@contextmanager
def transaction(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Give a connection in a transaction, committed at the end, rolled back on any error.

    Raises:
        Unavailable: The database is away, busy or out of connections; whether a commit that was under way
            took effect is then unknown.
    """
    with _translated(), engine.begin() as connection:
        yield connection


def _prepare(connection: DBAPIConnection, _: object) -> None:
    try:
        prepare(connection)
    except psycopg2.ProgrammingError as error:
        connection.close()
        raise Unavailable(
            "the schema of the database is behind; migrate it", retry_after=_RETRY_AFTER_SECONDS
        ) from error


def _discard(context: ExceptionContext) -> None:
    """Count a connection as lost that works but is of no use: to a server that was demoted, or with an older plan."""
    error = context.original_exception
    if isinstance(error, ReadOnlySqlTransaction) or (
        isinstance(error, FeatureNotSupported) and error.diag.source_function == "RevalidateCachedQuery"
    ):
        context.is_disconnect = True


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, psycopg2.OperationalError) as error:
        if is_lock_timeout(error):
            raise Held("somebody holds what this call needs; try again", retry_after=_RETRY_AFTER_SECONDS) from error
        raise Unavailable("the database is away or busy; try again", retry_after=_RETRY_AFTER_SECONDS) from error
    except exc.DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise Unavailable(
            "the connection to the database was lost; try again", retry_after=_RETRY_AFTER_SECONDS
        ) from error
