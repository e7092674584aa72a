"""A real HTTP server that gives the answers it was told to, and remembers what it was asked."""

import json
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from trimtab.errors import Refused
from trimtab.message import Message

TOKEN = "the-token"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Answer:
    """A response as it is to leave."""

    status: int = 200
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


Answering = Callable[[Asked], Answer]


@dataclass
class Stub:
    """What the server answers with, and what it was asked."""

    url: str
    answering: Answering = lambda asked: Answer(500, "not told what to answer")
    asked: list[Asked] = field(default_factory=list)

    def answers(self, *answers: Answer) -> None:
        """Give these answers, one after another."""
        left = iter(answers)
        self.answering = lambda asked: next(left, Answer(500, f"no answer left for {asked.path}"))


def said(message: Message, status: int = 200, **headers: str) -> Answer:
    return Answer(status, message.model_dump_json(), {"Content-Type": "application/json", **headers})


def refused(error: Refused) -> Answer:
    headers = {"Content-Type": "application/problem+json"}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return Answer(error.status, error.to_problem().model_dump_json(), headers)


@contextmanager
def serving() -> Iterator[Stub]:
    """Serve on a free port of this machine."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        stub = server.stub = Stub(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    stub: Stub

    def handle_error(self, request: object, client_address: object) -> None:
        """A client may hang up before it has read all; whatever else goes wrong is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        split = urlsplit(self.path)
        text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        asked = Asked(self.command, split.path, dict(parse_qsl(split.query)), dict(self.headers), text)
        self.server.stub.asked.append(asked)
        answer = self.server.stub.answering(asked)
        self.send_response_only(answer.status)
        for name, value in {"Date": self.date_time_string(), **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.text.encode())))
        self.end_headers()
        self.wfile.write(answer.text.encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Keep silent."""
