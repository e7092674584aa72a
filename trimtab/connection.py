"""Requests to the service, sent again while it is away: each of ours is the same twice as once."""

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx2

from trimtab import answers, request_lines, retries, settings
from trimtab.errors import Misconfigured, Unreachable
from trimtab.protocol import PROTOCOL, PROTOCOL_HEADER
from trimtab.requests import Request

CONNECT_SECONDS = 3.0
"""A machine that is there accepts a connection within two round trips; three seconds forgive one lost packet."""

KEEP_SECONDS = 2.0
"""An idle connection is not used again after this: uvicorn closes it after 5 s, maybe under a request."""

CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Reply:
    """What came back, after how many tries."""

    response: httpx2.Response
    tries: int


class Connection:
    """A server and the right to call it.

    Args:
        server: URL of the service.
        token: The bearer token.
        timeout: Seconds until a request that makes no headway is given up.
        transport: What carries requests; None: the network.
        sleep: Waits between tries, in seconds.
        chance: Draws from [0, 1); spreads the tries.

    Raises:
        Misconfigured: The server is no URL of a service, or the token cannot be one.
    """

    def __init__(
        self,
        server: str,
        token: str,
        *,
        timeout: float,
        transport: httpx2.BaseTransport | None,
        sleep: Callable[[float], object],
        chance: Callable[[], float],
    ) -> None:
        url = server_url(server)
        self._server = str(url)
        self._timeout = timeout
        self._sleep = sleep
        self._chance = chance
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {_checked(token)}", PROTOCOL_HEADER: str(PROTOCOL)},
            # A pool as large as there are threads: a long poll of one must not hold up another.
            limits=httpx2.Limits(max_connections=None, keepalive_expiry=KEEP_SECONDS),
            transport=transport,
            # A proxy for the outside world knows nothing of this machine's own services.
            trust_env=not settings.is_loopback(url.host),
        )
        # Of those who leave it open, such as a line in a notebook, its sockets would be left open too.
        weakref.finalize(self, self._http.close)

    def send(self, request: Request) -> Reply:
        """Return the answer to a request, whatever its status.

        Raises:
            Unreachable: There was none.
        """
        return self._tried(lambda: self._send(request))

    def download(self, request: Request, path: Path) -> httpx2.Response:
        """Write the body of an answer to a file, which is there when it is whole; return the answer, read.

        Raises:
            Unreachable: There was no answer, or not all of it.
            OSError: The file cannot be written.
        """
        return self._tried(lambda: self._download(request, path)).response

    def open(self, request: Request) -> httpx2.Response:
        """Return the answer to a request, of which the body is still to come; that of a refusal has come.

        Raises:
            Unreachable: There was none.
        """
        return self._tried(lambda: self._open(request)).response

    def content(self, answer: httpx2.Response) -> Iterator[bytes]:
        """Yield the body of an answer as it comes, and close it.

        Raises:
            Unreachable: It was cut off.
        """
        try:
            yield from answer.iter_bytes()
        except httpx2.RequestError as error:
            raise self._unreachable(error) from None
        finally:
            answer.close()

    def rest(self) -> None:
        """Wait for a moment before what was cut off is taken up again; not all for as long."""
        self._sleep(self._chance() * retries.FIRST_PAUSE_SECONDS)

    def close(self) -> None:
        """Let go of the network."""
        self._http.close()

    def _tried(self, attempt: Callable[[], httpx2.Response | httpx2.RequestError]) -> Reply:
        for tries in count(1):
            with request_lines.left_out():
                answer = attempt()
            seconds = self._pause(answer, tries)
            if seconds is None:
                break
            self._sleep(seconds)
        if isinstance(answer, httpx2.RequestError):
            raise self._unreachable(answer) from None
        return Reply(answer, tries)

    def _send(self, request: Request) -> httpx2.Response | httpx2.RequestError:
        try:
            return self._http.request(
                request.method,
                request.path,
                params=request.query,
                headers=request.sent_headers,
                content=_chunks(request.file) if request.file else request.body,
                timeout=self._patience(request),
            )
        except httpx2.RequestError as error:
            return error

    def _download(self, request: Request, path: Path) -> httpx2.Response | httpx2.RequestError:
        part = path.with_name(f"{path.name}.part")
        try:
            with self._http.stream(
                request.method,
                request.path,
                params=request.query,
                headers=request.sent_headers,
                timeout=self._patience(request),
            ) as answer:
                if not answer.is_success:
                    answer.read()
                    return answer
                with part.open("wb") as file:
                    for chunk in answer.iter_bytes():
                        file.write(chunk)
            part.replace(path)
        except httpx2.RequestError as error:
            return error
        finally:
            part.unlink(missing_ok=True)
        return answer

    def _open(self, request: Request) -> httpx2.Response | httpx2.RequestError:
        opened = self._http.build_request(
            request.method,
            request.path,
            params=request.query,
            headers=request.sent_headers,
            timeout=self._patience(request),
        )
        try:
            answer = self._http.send(opened, stream=True)
            if not answer.is_success:
                answer.read()
        except httpx2.RequestError as error:
            return error
        return answer

    def _patience(self, request: Request) -> httpx2.Timeout:
        return httpx2.Timeout(self._timeout + request.wait, connect=CONNECT_SECONDS)

    def _pause(self, answer: httpx2.Response | httpx2.RequestError, tries: int) -> float | None:
        if isinstance(answer, httpx2.RequestError):
            return retries.pause(tries, None, chance=self._chance)
        seconds = answers.retry_after(answer)
        if not retries.is_worthwhile(answer.status_code, seconds):
            return None
        return retries.pause(tries, seconds, chance=self._chance)

    def _unreachable(self, error: httpx2.RequestError) -> Unreachable:
        reason = str(error) or type(error).__name__
        return Unreachable(
            f"no answer from {self._server}: {reason}; start the service there (python -m service), "
            "or say with TRIMTAB_SERVER where it is"
        )


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def server_url(server: str) -> httpx2.URL:
    """Return the URL of a service, which can be shown: it holds no password.

    Raises:
        Misconfigured: It is none, or holds one.
    """
    if "@" in server:
        raise Misconfigured("the server's URL holds a password, which would be shown; set TRIMTAB_TOKEN instead")
    try:
        url = httpx2.URL(server)
    except httpx2.InvalidURL as error:
        raise Misconfigured(f"the server {server!r} is no URL: {error}; set TRIMTAB_SERVER") from error
    if url.scheme not in {"http", "https"} or not url.host or " " in server:
        such_as = settings.DEFAULT_SERVER if "://" in server else f"http://{server}"
        raise Misconfigured(f"the server {server!r} is no http:// or https:// URL; set TRIMTAB_SERVER, as to {such_as}")
    return url


def _checked(token: str) -> str:
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Misconfigured("the token is empty or has characters that no token has; set TRIMTAB_TOKEN")
    return token
