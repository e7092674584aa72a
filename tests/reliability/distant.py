"""A replica that reaches its database by way of a relay."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import anyio.from_thread

from tests.reliability.postgres import connect_to, through
from tests.reliability.relay import Relay, relay
from tests.service.served import Served, serve


@dataclass(frozen=True)
class Distant:
    """A replica, and what is between it and its database."""

    served: Served
    relay: Relay


@contextmanager
def distant(database_url: str) -> Iterator[Distant]:
    """Serve one such replica in this process."""
    with ExitStack() as closing:
        way = closing.enter_context(relay(connect_to(database_url)))
        portal = closing.enter_context(anyio.from_thread.start_blocking_portal())
        yield Distant(closing.enter_context(serve(through(database_url, way.port), portal)), way)
