"""The process that Optuna's dashboard runs in: `python -m service.dashboard.child FILE_DESCRIPTOR`.

It answers one order after another, and goes when its service does.
"""

import gzip
import logging
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection
from typing import Any
from wsgiref.util import setup_testing_defaults

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from service.dashboard.orders import SERVER_ERROR, Answer, Order
from service.database import connect
from service.pipes import serve
from service.storage.optuna_storage import OptunaStorage

NAME = "trimtab dashboard"
"""Of its connection, as PostgreSQL shows it."""

MEMORY_BYTES = 2**30
"""Of address space: ten thousand trials of twenty steps take 0.4 GiB, forty thousand 0.95."""

_KEPT_HEADERS = ("Content-Type", "Content-Disposition")
_GZIP_LEVEL = 1
"""31 MB of JSON, which repeats itself, become 2 MB in 0.2 s."""


def main(descriptor: int) -> None:
    """Answer orders until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _leave_out("sklearn", "plotly")
    serve(Connection(descriptor), lambda sent: answer(Order.from_bytes(sent)).to_bytes())


class Failures(logging.Handler):
    """Keeps what the dashboard said last of what failed, without where: its service says it, and may often."""

    said = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep its first line."""
        self.said = record.getMessage().partition("\n")[0].removeprefix("Exception: ")


_failures = Failures()


def answer(order: Order) -> Answer:
    """Return what the dashboard answers to an order; where it fails, why, as text."""
    heard: list[tuple[str, dict[str, str]]] = []
    environment: dict[str, Any] = {"PATH_INFO": order.path, "QUERY_STRING": order.query}
    setup_testing_defaults(environment)
    _failures.said = ""
    with _connected(order.database) as dashboard:
        body = b"".join(dashboard(environment, lambda status, headers, _=None: heard.append((status, dict(headers)))))
    line, given = heard[-1]
    status = int(line.partition(" ")[0])
    if status >= SERVER_ERROR:
        return Answer(status, {}, (_failures.said or "it failed").encode())
    headers = {name: given[name] for name in _KEPT_HEADERS if name in given}
    if order.takes_gzip:
        body = gzip.compress(body, _GZIP_LEVEL)
        headers["Content-Encoding"] = "gzip"
    return Answer(status, headers, body)


@contextmanager
def _connected(database: str) -> Iterator[Any]:
    """Give the dashboard; leave no connection behind."""
    engine, dashboard = _dashboard(database)
    try:
        yield dashboard
    finally:
        engine.dispose()


@cache
def _dashboard(database: str) -> tuple[sa.Engine, Any]:
    import optuna_dashboard  # noqa: PLC0415  # an extra, which only this process needs

    logger = logging.getLogger(optuna_dashboard.__name__)
    logger.handlers, logger.propagate = [_failures], False
    engine = reading(database)
    return engine, optuna_dashboard.wsgi(OptunaStorage(engine))


def reading(database: str) -> sa.Engine:
    """Return a connection on which PostgreSQL refuses to write."""
    engine = connect(database, size=1)
    sa.event.listen(engine, "connect", _refuse_to_write)
    return engine


def _refuse_to_write(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET application_name = '{NAME}'; SET default_transaction_read_only = on")
    cursor.close()
    connection.commit()


def _leave_out(*packages: str) -> None:
    """Let nobody here find these: they take 100 MB and 2 s, for what is not asked of the dashboard."""
    sys.modules.update(dict.fromkeys(packages))  # type: ignore[arg-type]  # as the import system documents it


if __name__ == "__main__":
    main(int(sys.argv[1]))
