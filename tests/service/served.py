"""A replica that is served in this process. Its sweep runs when a test calls it, and not by itself."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from anyio.from_thread import BlockingPortal
from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.app import create_app
from service.database import connect
from service.replica import Replica
from service.tokens import Tokens
from tests.service.documented import Documented
from trimtab.client import Client

TOKEN = "ttk_of-the-tests"
LEASE_SECONDS = 30.0


@dataclass(frozen=True)
class Served:
    """A replica and two ways to call it.

    Args:
        replica: What its routes work with.
        app: Its application.
        client: Trimtab's own client.
        http: For requests that the client does not send, and for answers that it does not show.
    """

    replica: Replica
    app: FastAPI
    client: Client
    http: httpx2.Client


Serve = Callable[..., Served]
"""Starts one more replica on the database of the test, with the parts that are given."""

Connect = Callable[[], socket.socket]
"""Connects to an application that listens."""


@contextmanager
def serve(database_url: str, portal: BlockingPortal, **parts: Any) -> Iterator[Served]:
    """Serve one replica on the event loop of `portal`; a defect of the service is raised where it is called."""
    replica = Replica(connect(database_url), LEASE_SECONDS, **parts)
    app = create_app(replica, Tokens(TOKEN))
    http = TestClient(app, headers={"Authorization": f"Bearer {TOKEN}"})
    http.portal = portal
    http._transport = Documented(http._transport)
    client = Client("http://testserver", TOKEN, transport=http._transport, sleep=lambda _: None)
    yield Served(replica, app, client, http)
    replica.close()
    replica.engine.dispose()
