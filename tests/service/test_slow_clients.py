"""Who sends a request or reads an answer too slowly is cut off, and keeps nobody from being served meanwhile."""

import json
import resource
import select
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice, repeat

import pytest
import uvicorn

from service import slow_clients
from service.api import waiting
from tests.service.long_polls import LONG, wait_until
from tests.service.served import TOKEN, Connect, Served
from tests.service.specs import spec

GET = f"GET /v1/studies HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
ASK = f"POST /v1/leases HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"

LIMIT_SECONDS = 0.5
NEVER_SECONDS = 10.0
"""By then who is cut off has been, however busy the machine."""


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for slow clients as long as he would."""
    monkeypatch.setattr(slow_clients, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LIMIT_SECONDS)
    monkeypatch.setattr(slow_clients, "STALL_SECONDS", LIMIT_SECONDS)


def drip(client: socket.socket, content: Iterator[bytes]) -> float:
    """Send piece after piece until cut off, or to the end; return when that was."""
    client.settimeout(0.01)
    with suppress(ConnectionError):
        for piece in content:
            client.sendall(piece)
            with suppress(TimeoutError):
                if not client.recv(1024):
                    break
    return time.monotonic()


def pieces(content: bytes) -> Iterator[bytes]:
    """Cut a content into bytes, with as many after it as take longer than NEVER_SECONDS."""
    return (bytes([byte]) for byte in content + 1100 * b"x")


def test_who_sends_a_head_a_byte_at_a_time_is_cut_off(connect: Connect) -> None:
    begin = time.monotonic()

    cut_off_at = drip(connect(), pieces(GET[:-2]))

    assert LIMIT_SECONDS <= cut_off_at - begin < NEVER_SECONDS


def test_who_connects_and_sends_nothing_is_cut_off(connect: Connect) -> None:
    assert connect().recv(1024) == b""


def test_a_slow_head_after_a_request_is_cut_off(connect: Connect) -> None:
    client = connect()
    begin = time.monotonic()
    client.sendall(GET)
    answered = client.recv(65536)

    cut_off_at = drip(client, pieces(GET[:-2]))

    assert answered.startswith(b"HTTP/1.1 200")
    assert LIMIT_SECONDS <= cut_off_at - begin < NEVER_SECONDS


def test_who_sends_a_body_a_byte_at_a_time_is_cut_off(connect: Connect, server: uvicorn.Server) -> None:
    client = connect()
    begin = time.monotonic()
    client.sendall(f"{ASK}Content-Length: 100000\r\n\r\n".encode())

    cut_off_at = drip(client, pieces(b"{"))

    assert LIMIT_SECONDS <= cut_off_at - begin < NEVER_SECONDS
    wait_until(lambda: not server.server_state.tasks)


def test_a_body_that_gets_on_is_waited_for_however_long_it_takes(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "STEP_BYTES", 100)
    monkeypatch.setattr(slow_clients, "STALL_SECONDS", 1.0)
    client = connect()
    body = json.dumps({"worker": "w", "study": "none"}).encode().ljust(20_000)
    client.sendall(f"{ASK}Content-Length: {len(body)}\r\n\r\n".encode())

    begin = time.monotonic()
    for n in range(0, len(body), 200):
        client.sendall(body[n : n + 200])
        select.select([client], [], [], 0.015)
    answer = client.recv(65536)

    assert time.monotonic() - begin > 1.0
    assert answer.startswith(b"HTTP/1.1 404")


def test_who_never_reads_an_answer_is_cut_off(connect: Connect, server: uvicorn.Server, served: Served) -> None:
    for number in range(20):
        served.client.create_study(spec(f"study{number}", task=None))
    client = connect()
    begin = time.monotonic()

    client.sendall(1000 * GET)

    wait_until(lambda: bool(server.server_state.tasks))
    wait_until(lambda: not server.server_state.connections and not server.server_state.tasks)
    assert time.monotonic() - begin >= LIMIT_SECONDS
    assert server.server_state.total_requests < 1000


def test_who_waits_for_the_service_is_not_cut_off(
    connect: Connect, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "POLL_SECONDS", LONG)
    client = connect()
    body = json.dumps({"worker": "w", "wait": 1.5}).encode()

    client.sendall(f"{ASK}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200")
    assert [worker.name for worker in served.client.workers()] == ["w"]


def test_a_connection_that_is_used_is_not_cut_off(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", 2.0)
    client = connect()
    end = time.monotonic() + 2.5

    answers = []
    while time.monotonic() < end:
        client.sendall(GET)
        answers.append(client.recv(65536)[:12])
        # Let the service look while nothing is under way.
        select.select([client], [], [], 0.02)

    assert set(answers) == {b"HTTP/1.1 200"}


def test_a_head_without_end_is_cut_off_before_its_time(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LONG)
    begin = time.monotonic()

    cut_off_at = drip(connect(), chain([b"GET / HTTP/1.1\r\n"], repeat(1000 * b"X-Filler: filler\r\n")))

    assert cut_off_at - begin < NEVER_SECONDS


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


@pytest.mark.usefixtures("sockets")
def test_five_hundred_slow_clients_keep_nobody_from_being_served(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", LONG)
    monkeypatch.setattr(slow_clients, "STALL_SECONDS", LONG)
    for number in range(500):
        connect().sendall(GET[:20] if number % 2 else f"{ASK}Content-Length: 1000\r\n\r\n{{".encode())
    client = connect()

    begin = time.monotonic()
    client.sendall(GET)
    answer = client.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begin < 10
