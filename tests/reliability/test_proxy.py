"""The proxy of the chaos runs does to each request what it says, and sees where two answers differ."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

import httpx2
import pytest

from tests.e2e.running import wait_for
from tests.reliability.chaos import proxy
from tests.reliability.chaos.proxy import Mishap, Proxy

REPORT = "/v1/leases/1/reports"
ASK = "/v1/leases"


class Upstream(ThreadingHTTPServer):
    """Answers each request with the same words, or with the number of requests that there were."""

    def __init__(self, *, counts: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.counts = counts
        self.arrived = 0
        self._counting = threading.Lock()

    def count(self) -> int:
        """Count one more request; return its number."""
        with self._counting:
            self.arrived += 1
            return self.arrived


class _Handler(BaseHTTPRequestHandler):
    server: Upstream

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        number = self.server.count()
        body = json.dumps({"leases": [number if self.server.counts else 0]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running(*, counts: bool = False) -> Iterator[tuple[Upstream, Proxy]]:
    with Upstream(counts=counts) as upstream:
        thread = threading.Thread(target=upstream.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with Proxy([upstream.server_port], Random(0)) as between:
                yield upstream, between
        finally:
            upstream.shutdown()
            thread.join()


def always(monkeypatch: pytest.MonkeyPatch, mishap: Mishap) -> None:
    monkeypatch.setattr(proxy, "RATES", {mishap: 1.0})


def is_answered(between: Proxy, path: str = REPORT, key: str | None = None) -> bool:
    headers = {"Idempotency-Key": key} if key else {}
    try:
        with httpx2.Client(trust_env=False, timeout=60) as http:
            return http.post(f"http://127.0.0.1:{between.port}{path}", json={}, headers=headers).is_success
    except httpx2.RequestError:
        return False


def wait_until_done(between: Proxy) -> None:
    """Wait for what it does later, too."""
    wait_for(lambda: not between._tasks)


@pytest.mark.parametrize(
    ("mishap", "answered", "arrivals"),
    [
        (Mishap.NONE, True, 1),
        (Mishap.CUT_BEFORE, False, 0),
        (Mishap.CUT_AFTER, False, 1),
        (Mishap.DELAYED, True, 1),
        (Mishap.TWICE_AT_ONCE, True, 2),
        (Mishap.TWICE_LATER, True, 2),
    ],
)
def test_a_request_is_cut_delayed_or_doubled_as_drawn(
    monkeypatch: pytest.MonkeyPatch, mishap: Mishap, answered: bool, arrivals: int
) -> None:
    always(monkeypatch, mishap)
    with running() as (upstream, between):
        found = is_answered(between)

        wait_until_done(between)
        assert (found, upstream.arrived) == (answered, arrivals)
        assert between.counted == {mishap: 1}


def test_a_request_that_is_cut_off_from_the_replica_too_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, Mishap.CUT_AWAY)
    with running() as (_, between):
        found = is_answered(between)

        assert (found, between.counted) == (False, {Mishap.CUT_AWAY: 1})


@pytest.mark.parametrize(("key", "arrivals"), [(None, 1), ("k", 2)])
def test_an_ask_is_doubled_only_with_a_key(monkeypatch: pytest.MonkeyPatch, key: str | None, arrivals: int) -> None:
    always(monkeypatch, Mishap.TWICE_AT_ONCE)
    with running() as (upstream, between):
        found = is_answered(between, ASK, key)

        assert (found, upstream.arrived) == (True, arrivals)


@pytest.mark.parametrize("mishap", [Mishap.TWICE_AT_ONCE, Mishap.TWICE_LATER])
@pytest.mark.parametrize("counts", [False, True])
def test_two_answers_to_one_request_are_held_against_each_other(
    monkeypatch: pytest.MonkeyPatch, mishap: Mishap, counts: bool
) -> None:
    always(monkeypatch, mishap)
    with running(counts=counts) as (upstream, between):
        is_answered(between)

        wait_until_done(between)
        assert (upstream.arrived, bool(between.differences)) == (2, counts)


def test_nothing_passes_while_it_is_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    always(monkeypatch, Mishap.NONE)
    with ThreadPoolExecutor() as executor:
        with running() as (upstream, between):
            between.go_dark(60.0)
            in_the_dark = executor.submit(is_answered, between)
            wait_for(lambda: between.counted == {Mishap.DARK: 1})
            between.calm()

            later = is_answered(between)

        assert (in_the_dark.result(), later, upstream.arrived) == (False, True, 1)


def test_nothing_happens_to_requests_when_it_is_calm() -> None:
    with running() as (upstream, between):
        between.go_dark(60.0)
        between.calm()

        found = [is_answered(between) for _ in range(100)]

        assert all(found)
        assert upstream.arrived == 100
        assert between.counted == {Mishap.NONE: 100}
