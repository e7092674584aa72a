"""Asks the process that Optuna's dashboard runs in, which is there while somebody looks."""

import asyncio
import sys
import time
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from threading import BoundedSemaphore

import sqlalchemy as sa

from service.children import Children, NoAnswer
from service.dashboard.orders import SERVER_ERROR, Answer, Order
from service.side_threads import SideThreads
from trimtab.errors import Unavailable

LIMIT_SECONDS = 30.0
"""From the request to the answer, the wait for one's turn included. Ten thousand trials take 4 s of a processor, forty
thousand 15 s."""

IDLE_SECONDS = 600.0
"""The process takes 120 MB, and 300 MB while it reads ten thousand trials."""

MOST_WAITING = 32
"""Requests. A page sends three at a time."""

_PACKAGE = "optuna_dashboard"
_COMMAND = (sys.executable, "-m", "service.dashboard.child")
_RETRY_AFTER_SECONDS = 5
_LATE = f"nothing came within {LIMIT_SECONDS:g} s"


class Dashboard:
    """Optuna's dashboard: one answer after the other, from a thread of its own, so that it takes none of the API's."""

    def __init__(self) -> None:
        self._children = Children(_COMMAND, most=1, idle_seconds=IDLE_SECONDS)
        self._thread = SideThreads(1, name="dashboard")
        self._places = BoundedSemaphore(MOST_WAITING)

    async def ask(self, database: sa.URL, path: str, query: str, *, takes_gzip: bool) -> Answer:
        """Return what the dashboard answers.

        Args:
            database: Where the trials are.
            path: As the dashboard has it.
            query: What follows the question mark.
            takes_gzip: The answer may be compressed.

        Raises:
            Unavailable: Too many ask, its process has no answer in time, or the database is away.
        """
        order = Order(database.render_as_string(hide_password=False), path, query, takes_gzip)
        if not self._places.acquire(blocking=False):
            raise _unavailable("too many ask")
        deadline = time.monotonic() + LIMIT_SECONDS
        try:
            return await asyncio.wrap_future(self._thread.submit(partial(self._answer, order, deadline)))
        finally:
            self._places.release()

    def reap(self) -> None:
        """End its process if nobody has looked for long."""
        self._children.reap()

    def close(self) -> None:
        """End its process, for good: whoever waits for it hears so at once."""
        self._thread.close()
        self._children.close()

    def _answer(self, order: Order, deadline: float) -> Answer:
        left = deadline - time.monotonic()
        if left <= 0:
            raise _unavailable(_LATE)
        try:
            answer = Answer.from_bytes(self._children.answer(order.to_bytes(), seconds=left))
        except NoAnswer as error:
            raise _unavailable(str(error)) from error
        if answer.status >= SERVER_ERROR:
            raise _unavailable(answer.body.decode())
        return answer


def package() -> Path | None:
    """Return the folder of its package, which is not imported here; None: it is not installed."""
    found = find_spec(_PACKAGE)
    return Path(found.origin).parent if found and found.origin else None


def _unavailable(reason: str) -> Unavailable:
    return Unavailable(f"Optuna's dashboard does not answer: {reason}", retry_after=_RETRY_AFTER_SECONDS)
