"""Nothing hostile is stored, takes much memory, forges a line of the log or keeps the service from serving the next."""

import http.client
import json
import re
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tests.conftest import fresh_database
from tests.e2e.running import TOKEN, wait_for
from tests.openapi import description
from tests.reliability.services import Service, services
from tests.service import record
from tests.service.hostile import FORGED, JSON, REQUESTS, WORDS, bodies, quoted, routes
from tests.service.specs import spec
from trimtab.client import Client
from trimtab.protocol import Lease

PATIENCE_SECONDS = 120.0
"""For the service to start, or to answer one of many requests, on any machine."""

MOST_MEBIBYTES = 64
MOST_AT_ONCE_MEBIBYTES = 128

TAKES_ANYTHING = {
    ("/v1/workers", "cursor"),
    ("/v1/leases/{lease_id}/attributes/{key}", "key"),
    ("/v1/studies", "tag"),
}
"""Where a list goes on, after the name of a worker: any printable one. What a trial calls what it leaves on record.
What people find a study by."""

LINE = re.compile(r"20\d\d-\d\d-\d\d [\d:,]+ [A-Z]+ \S+ |    ")
"""How a line of the log begins: a record, or what belongs to the one above."""


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    kind: str
    content: bytes


@dataclass(frozen=True)
class Attacked:
    """A service with a study, a trial and a lease, and what is stored of them."""

    service: Service
    lease: Lease
    engine: sa.Engine
    stored: record.Rows
    description: dict[str, Any]

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.service.url)
        return str(parts.hostname), int(parts.port or 0)

    def send(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request as it is."""
        standard = {"Authorization": f"Bearer {TOKEN}", "Trimtab-Fence": str(self.lease.fence)}
        with closing(http.client.HTTPConnection(*self.address, timeout=PATIENCE_SECONDS)) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # The answer may come before all is sent.
                connection.request(method, path, content, standard | dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers["Content-Type"] or "", answer.read())

    def exchange(self, sent: bytes) -> bytes:
        """Send what may be no request, and return the beginning of what comes back; nothing: it was cut off."""
        with socket.create_connection(self.address, timeout=PATIENCE_SECONDS) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(sent)
                return connection.recv(4096)
            return b""

    def filled(self, path: str, **parameters: str) -> str:
        """Return a path with what there is for its parameters, or with these."""
        there = {"name": "study", "number": "0", "lease_id": self.lease.id, "token_id": "1"}
        there |= {"key": "a"} | parameters
        return path.format(**there)

    def now(self) -> record.Rows:
        # That a replica is alive is noted each second.
        return {table: rows for table, rows in record.rows(self.engine).items() if table != "trimtab_liveness"}


@pytest.fixture(scope="module")
def begun(postgres: sa.Engine, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with (
        fresh_database(postgres, template) as url,
        services(tmp_path_factory.mktemp("service")) as replicas,
    ):
        service = replicas.start(url, lease_seconds=3_600)
        wait_for(service.is_ready, seconds=PATIENCE_SECONDS)
        with Client(service.url, TOKEN) as client:
            client.create_study(spec())
            lease = client.ask("worker", study="study").leases[0]
            yield Attacked(service, lease, sa.create_engine(url, poolclass=NullPool), {}, json.loads(description()))


@pytest.fixture
def attacked(begun: Attacked) -> Attacked:
    """The same for all tests, with what is stored before each, and the memory that it has then for its peak."""
    Path(f"/proc/{begun.service.process.pid}/clear_refs").write_text("5")
    return replace(begun, stored=begun.now())


def assert_refused(answer: Answer, *what: str) -> None:
    assert 400 <= answer.status < 500, (what, answer)
    assert answer.kind == "application/problem+json", (what, answer)
    assert json.loads(answer.content)["detail"]
    assert len(answer.content) < 10_000, what


def assert_unharmed(attacked: Attacked) -> None:
    """All is as it was, the log tells of nothing that was not, and the next caller is served."""
    log = attacked.service.log.read_text()
    assert attacked.now() == attacked.stored
    assert "Traceback" not in log
    assert TOKEN not in log
    assert [line for line in log.splitlines() if not LINE.match(line)] == []
    assert FORGED.encode() not in log.encode()
    with Client(attacked.service.url, TOKEN) as client:
        assert [study.name for study in client.studies()] == ["study"]
        assert client.heartbeat(attacked.lease).verdict == "continue"


def peak(service: Service) -> float:
    """Return the most memory that the process has had in this test, in mebibytes."""
    (most,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{service.process.pid}/status").read_text())
    return int(most) / 1024


def test_a_hostile_body_is_refused_by_every_route_that_takes_one(attacked: Attacked) -> None:
    taking = [(verb, path) for verb, path, operation in routes(attacked.description) if "requestBody" in operation]
    before = peak(attacked.service)

    for verb, path in taking:
        for name, body in bodies():
            answer = attacked.send(verb, attacked.filled(path), body.content, body.headers)
            assert_refused(answer, verb, path, name)

    assert len(taking) >= 6
    assert peak(attacked.service) - before < MOST_MEBIBYTES
    assert_unharmed(attacked)


def test_a_hostile_word_is_refused_in_every_part_of_a_path_and_of_a_query(attacked: Attacked) -> None:
    parameters = [
        (verb, path, given["name"], given["in"])
        for verb, path, operation in routes(attacked.description)
        for given in operation.get("parameters", ())
        if given["in"] in {"path", "query"} and (path, given["name"]) not in TAKES_ANYTHING
    ]

    for verb, path, name, place in parameters:
        for what, words in WORDS.items():
            changed = {name: quoted(words)} if place == "path" else {}
            query = f"?{name}={quoted(words)}" if place == "query" else ""
            answer = attacked.send(verb, attacked.filled(path, **changed) + query)
            assert_refused(answer, verb, path, name, what)

    assert len(parameters) >= 20
    assert_unharmed(attacked)


@pytest.mark.parametrize("header", ["Trimtab-Fence", "Idempotency-Key", "Authorization"])
def test_a_hostile_word_is_refused_in_a_header(attacked: Attacked, header: str) -> None:
    prefix = "Bearer " if header == "Authorization" else ""

    for what, words in WORDS.items():
        # What has signs of control in a header is no HTTP.
        text = prefix + re.sub(rb"[\0-\x1f]", b" ", words).decode("latin-1")
        if header == "Idempotency-Key" and re.fullmatch("[!-~]{1,255}", text):
            continue
        answer = attacked.send("POST", f"/v1/leases/{attacked.lease.id}/heartbeat", headers={header: text})
        assert_refused(answer, header, what)

    assert_unharmed(attacked)


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS)
def test_a_request_that_is_none_is_refused_or_cut_off(attacked: Attacked, sent: bytes) -> None:
    before = peak(attacked.service)

    answer = attacked.exchange(sent)

    assert not answer or re.match(rb"HTTP/1\.1 4\d\d ", answer), answer[:200]
    assert peak(attacked.service) - before < MOST_MEBIBYTES
    assert_unharmed(attacked)


def test_many_hostile_bodies_at_once_take_no_more_memory_than_a_few(attacked: Attacked) -> None:
    heaviest = dict(bodies())["as many items as fit"]
    before = peak(attacked.service)

    with ThreadPoolExecutor(32) as threads:
        sent = [threads.submit(attacked.send, "POST", "/v1/studies", heaviest.content, JSON) for _ in range(200)]

    for answer in sent:
        assert_refused(answer.result())
    assert peak(attacked.service) - before < MOST_AT_ONCE_MEBIBYTES
    assert_unharmed(attacked)
