"""Over a real connection: a caller that goes away, and what no HTTP client sends."""

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from service.api import waiting
from tests.service.long_polls import LONG, wait_until
from tests.service.served import TOKEN, Served
from tests.service.specs import spec


@dataclass(frozen=True)
class Listening:
    """An application that listens."""

    server: uvicorn.Server
    address: tuple[str, int]

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=60)


@pytest.fixture
def listening(served: Served) -> Iterator[Listening]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(served.app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield Listening(server, listener.getsockname())
        server.should_exit = True
        thread.join()


def request(method: str, path: str, content: str) -> bytes:
    return (
        f"{method} {path} HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
    ).encode()


def test_no_trial_is_given_to_a_caller_that_has_gone(
    served: Served, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", LONG)
    with listening.connect() as caller:
        caller.sendall(request("POST", "/v1/leases", json.dumps({"worker": "gone", "wait": LONG})))
        wait_until(lambda: [worker.name for worker in served.client.workers()] == ["gone"])
    wait_until(lambda: not listening.server.server_state.connections)

    served.client.create_study(spec())
    wait_until(lambda: not listening.server.server_state.tasks)

    assert list(served.client.trials("study")) == []


def test_what_is_no_http_is_refused_and_the_next_caller_is_served(listening: Listening) -> None:
    with listening.connect() as caller:
        caller.sendall(b"\x16\x03\x01\x02\x00\x01\x00 no HTTP\r\n\r\n")
        refused = caller.recv(1024)
    with listening.connect() as caller:
        caller.sendall(request("GET", "/v1/studies", ""))
        answer = caller.recv(1024)

    assert refused.startswith(b"HTTP/1.1 400 ")
    assert answer.startswith(b"HTTP/1.1 200 ")
