"""Waits for PostgreSQL's answers, but not for ever: what stands between may have vanished without a word.

TCP's own timeouts see a peer that is gone; behind a proxy or a balancer the peer that TCP knows is still there.
"""

import select

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, STATUS_SETUP, connection, set_wait_callback

CONNECT_SECONDS = 5.0

ANSWER_SECONDS = 9.0
"""More than any statement may take (service.database), and less than the 10 s after which a call has its answer."""


class Impatient(connection):  # type: ignore[misc]  # psycopg2 has no types
    """A connection that is given up when no byte comes for too long."""


def install() -> None:
    """Let psycopg2 wait here. This is one setting of the whole process; other connections wait as ever."""
    set_wait_callback(_wait)


def _wait(waiting: connection) -> None:
    """Return when what is under way on a connection is done; psycopg2 closes it if this raises."""
    while (wanted := waiting.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(waiting.fileno(), select.POLLIN if wanted == POLL_READ else select.POLLOUT)
        if not poll.poll(_milliseconds(waiting)):
            raise psycopg2.OperationalError("PostgreSQL does not answer")


def _milliseconds(waiting: connection) -> float | None:
    if not isinstance(waiting, Impatient):
        return None
    return 1000 * (CONNECT_SECONDS if waiting.status == STATUS_SETUP else ANSWER_SECONDS)
