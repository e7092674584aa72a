"""Who sends a request or reads an answer too slowly is cut off, and keeps nobody from being served meanwhile."""

import asyncio
import json
import resource
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from itertools import chain, islice, repeat
from typing import Any, cast

import pytest
import uvicorn

from service import slow_clients
from service.api import waiting
from service.slow_clients import Guarded
from tests.service.long_polls import LONG, wait_until, waiters
from tests.service.served import TOKEN, Connect, Served
from tests.service.specs import spec

GET = f"GET /v1/studies HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
GET_MUCH = b"GET /openapi.json HTTP/1.1\r\nHost: here\r\n\r\n"
ASK = f"POST /v1/leases HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"

LIMIT_SECONDS = 0.5
MOST_PIECES = 6000
"""Each takes a hundredth of a second: who is cut off at all has been by then, however busy the machine."""


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for slow clients as long as he would."""
    monkeypatch.setattr(slow_clients, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LIMIT_SECONDS)
    monkeypatch.setattr(slow_clients, "STALL_SECONDS", LIMIT_SECONDS)


@dataclass
class Clock:
    """The time that the service measures clients by."""

    now: float = 0.0


class ByClock:
    """An event loop with the time of a clock."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock

    def time(self) -> float:
        return self._clock.now

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still unless the test puts it on: a busy machine makes no client slow."""
    clock, made = Clock(), Guarded.connection_made

    def connection_made(guard: Guarded, transport: asyncio.Transport) -> None:
        guard.loop = cast("asyncio.AbstractEventLoop", ByClock(guard.loop, clock))
        made(guard, transport)

    monkeypatch.setattr(Guarded, "connection_made", connection_made)
    return clock


def wait_until_seen(server: uvicorn.Server, clock: Clock) -> None:
    """Wait until the service has seen that something moves on the only connection, as late as it is now."""
    guards = cast("set[Guarded]", server.server_state.connections)
    wait_until(lambda: [guard._since for guard in guards] == [clock.now])


def wait_for_look(server: uvicorn.Server) -> None:
    """Wait until the service has looked at the only connection, and is to look again."""
    (guard,) = cast("set[Guarded]", server.server_state.connections)
    before = guard._look_again
    wait_until(lambda: guard._look_again is not before)


def drip(client: socket.socket, content: Iterator[bytes]) -> float:
    """Send piece after piece until cut off; return when that was."""
    with suppress(ConnectionError):
        for piece in content:
            client.sendall(piece)
            is_readable, _, _ = select.select([client], [], [], 0.01)
            if is_readable and not client.recv(1024):
                break
        else:
            pytest.fail("was never cut off")
    return time.monotonic()


def pieces(content: bytes) -> Iterator[bytes]:
    """Cut a content into bytes, with many more after it."""
    return (bytes([byte]) for byte in content + MOST_PIECES * b"x")


def status(client: socket.socket) -> int:
    """Read an answer to its end; return its status."""
    answer = HTTPResponse(client)
    answer.begin()
    answer.read()
    return answer.status


def test_who_sends_a_head_a_byte_at_a_time_is_cut_off(connect: Connect) -> None:
    begin = time.monotonic()

    cut_off_at = drip(connect(), pieces(GET[:-2]))

    assert cut_off_at - begin >= LIMIT_SECONDS


def test_who_connects_and_sends_nothing_is_cut_off(connect: Connect) -> None:
    assert connect().recv(1024) == b""


def test_a_slow_head_after_a_request_is_cut_off(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LONG)
    client = connect()
    begin = time.monotonic()
    client.sendall(GET)
    answered = status(client)
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LIMIT_SECONDS)

    cut_off_at = drip(client, pieces(GET[:-2]))

    assert answered == 200
    assert cut_off_at - begin >= LIMIT_SECONDS


def test_who_sends_a_body_a_byte_at_a_time_is_cut_off(
    connect: Connect, server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LONG)
    client = connect()
    begin = time.monotonic()
    client.sendall(f"{ASK}Content-Length: 100000\r\n\r\n".encode())

    cut_off_at = drip(client, pieces(b"{"))

    assert cut_off_at - begin >= LIMIT_SECONDS
    wait_until(lambda: not server.server_state.tasks)


def test_a_body_that_gets_on_is_waited_for_however_long_it_takes(
    connect: Connect, server: uvicorn.Server, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "STEP_BYTES", 100)
    client = connect()
    body = json.dumps({"worker": "w", "study": "none"}).encode().ljust(2_000)
    client.sendall(f"{ASK}Content-Length: {len(body)}\r\n\r\n".encode())

    for n in range(0, len(body), 200):
        client.sendall(body[n : n + 200])
        wait_until_seen(server, clock)
        clock.now += 0.9 * LIMIT_SECONDS
    answered = status(client)

    assert clock.now > 5 * LIMIT_SECONDS
    assert answered == 404


def test_who_never_reads_an_answer_is_cut_off(
    connect: Connect, server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LONG)
    client = connect()
    begin = time.monotonic()

    client.sendall(1000 * GET_MUCH)

    wait_until(lambda: server.server_state.total_requests > 0)
    wait_until(lambda: not server.server_state.connections and not server.server_state.tasks)
    assert time.monotonic() - begin >= LIMIT_SECONDS
    assert server.server_state.total_requests < 1000


def test_who_waits_for_the_service_is_not_cut_off(
    connect: Connect, server: uvicorn.Server, served: Served, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", LONG)
    client = connect()
    body = json.dumps({"worker": "w", "wait": LONG}).encode()
    client.sendall(f"{ASK}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    wait_until(lambda: waiters(served.replica) == 1)

    clock.now += 10 * LIMIT_SECONDS
    wait_for_look(server)
    served.client.create_study(spec())

    assert status(client) == 200
    assert [worker.name for worker in served.client.workers()] == ["w"]


def test_a_connection_that_is_used_is_not_cut_off(connect: Connect, server: uvicorn.Server, clock: Clock) -> None:
    client = connect()

    answers = []
    for _ in range(5):
        client.sendall(GET)
        answers.append(status(client))
        wait_until_seen(server, clock)
        clock.now += 0.9 * LIMIT_SECONDS

    assert clock.now > 2 * LIMIT_SECONDS
    assert answers == [200] * 5


@pytest.mark.usefixtures("clock")
def test_a_head_without_end_is_cut_off_before_its_time(connect: Connect) -> None:
    drip(connect(), chain([b"GET / HTTP/1.1\r\n"], repeat(1000 * b"X-Filler: filler\r\n", MOST_PIECES)))


@pytest.mark.usefixtures("clock")
def test_many_requests_at_once_are_no_head_without_end(connect: Connect) -> None:
    client = connect()

    client.sendall(b"".join(repeat(GET, 2000)))
    with client.makefile("rb") as answers:
        statuses = [line for line in islice(answers, 200) if line.startswith(b"HTTP/1.1")]

    assert set(statuses) == {b"HTTP/1.1 200 OK\r\n"}


@pytest.fixture
def sockets() -> Iterator[None]:
    """Room for both ends of each connection in one process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, before[1]), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("sockets", "clock")
def test_five_hundred_slow_clients_keep_nobody_from_being_served(
    connect: Connect, server: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "LOOK_SECONDS", 1.0)
    for number in range(500):
        connect().sendall(GET[:20] if number % 2 else f"{ASK}Content-Length: 1000\r\n\r\n{{".encode())
    client = connect()

    client.sendall(GET)

    assert status(client) == 200
    assert len(server.server_state.connections) == 501
