"""What `trimtab doctor` looks at, one thing after the other, until one of them keeps it from going on."""

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import httpx2

from trimtab import answers, installation, settings
from trimtab.client import Client
from trimtab.connection import server_url
from trimtab.errors import Forbidden, Misconfigured, ProtocolMismatch, Refused, Unauthorized, Unreachable
from trimtab.installation import Inspected, look, ok, wrong
from trimtab.protocol import Health

_PATIENCE_SECONDS = 5.0
_STUDIES = 100
"""The newest: nobody waits for older ones."""

_START = "start one: python -m service; or say where it is: TRIMTAB_SERVER"
_OURS = (
    "TRIMTAB_TOKEN, TRIMTAB_TOKEN_FILE or TRIMTAB_DATA_DIR/token hold one of this very service; an admin makes others"
)


def inspect(environment: Mapping[str, str]) -> Iterator[Inspected]:
    """Yield each thing that was looked at as soon as it was."""
    server = settings.server(environment)
    try:
        url = server_url(server)
        with httpx2.Client(timeout=_PATIENCE_SECONDS, trust_env=not settings.is_loopback(url.host)) as http:
            asked_at = time.time()
            answer = http.get(f"{server.rstrip('/')}/readyz")
            heard_at = time.time()
    except Misconfigured as error:
        yield _misconfigured("service", error)
        return
    except httpx2.RequestError as error:
        yield wrong("service", f"nothing answers at {server}: {error}", _START)
        return
    reached = _reached(server, answer)
    yield reached
    if reached.standing is installation.Standing.OK:
        yield from _clock(answer, asked_at, heard_at)
        yield from _with_token(environment, server)


def _misconfigured(what: str, error: Misconfigured) -> Inspected:
    """Judge a setting whose error says what is wrong, and then what to do."""
    text, _, remedy = str(error).partition("; ")
    return wrong(what, text, remedy)


def _reached(server: str, answer: httpx2.Response) -> Inspected:
    try:
        is_ours = answers.parsed(answer, Health).status == "ok"
    except Refused as error:
        return wrong("service", f"{server} is there and cannot serve: {error}", "look into the log of the service")
    except Unreachable:
        is_ours = False
    if is_ours:
        return ok("service", f"{server} is up")
    return wrong("service", f"what answers at {server} is no Trimtab service", _START)


def _clock(answer: httpx2.Response, asked_at: float, heard_at: float) -> Iterator[Inspected]:
    """Judge the clock here by the service's, which said the time between the two given: an answer may take long."""
    if date := answer.headers.get("Date"):
        sent_at = parsedate_to_datetime(date).timestamp()
        yield installation.of_clock(max(asked_at - sent_at, 0.0) + min(heard_at - sent_at, 0.0))


def _with_token(environment: Mapping[str, str], server: str) -> Iterator[Inspected]:
    source = settings.token_source(environment)
    try:
        token = settings.token(environment)
        with Client(server, token, timeout=_PATIENCE_SECONDS) as client:
            found = client.version()
            yield installation.of_token(token, source)
            yield from installation.of_versions(version("trimtab"), found)
            yield from _who_trains_what(client)
    except ProtocolMismatch as error:
        yield wrong("versions", str(error), f"this client is trimtab {version('trimtab')}: have the same release here")
    except Unauthorized:
        yield wrong("token", f"the service does not take the one from {source}", _OURS)
    except Misconfigured as error:
        yield _misconfigured("token", error)
    except (Refused, Unreachable) as error:
        yield wrong("service", str(error), "look into the log of the service")


def _who_trains_what(client: Client) -> Iterator[Inspected]:
    try:
        workers = list(client.workers())
        studies = list(client.studies(_STUDIES))
    except Forbidden as error:
        yield look("workers", f"not to be seen: {error}", "ask again with a token of kind reader, user or admin")
        return
    yield from installation.of_training(studies, workers)
