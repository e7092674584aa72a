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


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for slow clients as long as he would."""
    monkeypatch.setattr(slow_clients, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(slow_clients, "STALL_SECONDS", 0.5)


def drip(client: socket.socket, content: Iterator[bytes]) -> float:
    """Send piece after piece until cut off; return after how many seconds that was."""
    begin = time.monotonic()
    client.settimeout(0.01)
    with suppress(ConnectionError):
        for piece in content:
            client.sendall(piece)
            with suppress(TimeoutError):
                if not client.recv(1024):
                    break
    return time.monotonic() - begin


def pieces(content: bytes) -> Iterator[bytes]:
    return (content[n : n + 1] for n in range(len(content)))


def test_who_sends_a_head_a_byte_at_a_time_is_cut_off(connect: Connect) -> None:
    taken = drip(connect(), pieces(GET + 1000 * b"x"))

    assert 0.4 < taken < 2.0


def test_who_connects_and_sends_nothing_is_cut_off(connect: Connect) -> None:
    assert connect().recv(1024) == b""


def test_a_slow_head_after_a_request_is_cut_off(connect: Connect) -> None:
    client = connect()
    client.sendall(GET)
    answered = client.recv(65536)

    taken = drip(client, pieces(GET + 1000 * b"x"))

    assert answered.startswith(b"HTTP/1.1 200")
    assert 0.4 < taken < 2.0


def test_who_sends_a_body_a_byte_at_a_time_is_cut_off(connect: Connect, server: uvicorn.Server) -> None:
    client = connect()
    client.sendall(f"{ASK}Content-Length: 100000\r\n\r\n".encode())

    taken = drip(client, repeat(b" "))

    assert 0.4 < taken < 2.0
    wait_until(lambda: not server.server_state.tasks)


def test_a_body_that_gets_on_is_waited_for_however_long_it_takes(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_clients, "STEP_BYTES", 100)
    client = connect()
    body = json.dumps({"worker": "w", "study": "none"}).encode().ljust(20_000)
    client.sendall(f"{ASK}Content-Length: {len(body)}\r\n\r\n".encode())

    begin = time.monotonic()
    for n in range(0, len(body), 200):
        client.sendall(body[n : n + 200])
        select.select([client], [], [], 0.01)
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
    assert time.monotonic() - begin > 0.4
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


def test_a_connection_that_is_used_is_not_cut_off(connect: Connect) -> None:
    client = connect()
    end = time.monotonic() + 1.0

    answers = []
    while time.monotonic() < end:
        client.sendall(GET)
        answers.append(client.recv(65536)[:12])

    assert set(answers) == {b"HTTP/1.1 200"}


def test_a_head_without_end_is_cut_off_before_its_time(connect: Connect) -> None:
    taken = drip(connect(), chain([b"GET / HTTP/1.1\r\n"], repeat(1000 * b"X-Filler: filler\r\n")))

    assert taken < 0.3


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
    assert time.monotonic() - begin < 2.0
