"""What `trimtab doctor` looks at, one thing after the other, until one of them keeps it from going on."""

import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import httpx2

from trimtab import installation, settings
from trimtab.client import Client
from trimtab.errors import Forbidden, Misconfigured, Refused, Unauthorized, Unreachable
from trimtab.installation import Inspected, look, ok, wrong

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
        with httpx2.Client(timeout=_PATIENCE_SECONDS, trust_env=not _is_here(server)) as http:
            answer = http.get(f"{server.rstrip('/')}/readyz")
    except (httpx2.RequestError, httpx2.InvalidURL) as error:
        yield wrong("service", f"nothing answers at {server}: {error}", _START)
        return
    reached = _reached(server, answer)
    yield reached
    if reached.standing is installation.Standing.OK:
        yield from _clock(answer)
        yield from _with_token(environment, server)


def _is_here(server: str) -> bool:
    return settings.is_loopback(httpx2.URL(server).host)


def _reached(server: str, answer: httpx2.Response) -> Inspected:
    if answer.is_success and answer.text.replace(" ", "") == '{"status":"ok"}':
        return ok("service", f"{server} is up")
    if "problem+json" in answer.headers.get("Content-Type", ""):
        detail = answer.json().get("detail", "")
        return wrong("service", f"{server} is there and cannot serve: {detail}", "look into the log of the service")
    return wrong("service", f"what answers at {server} is no Trimtab service", _START)


def _clock(answer: httpx2.Response) -> Iterator[Inspected]:
    if sent := answer.headers.get("Date"):
        yield installation.of_clock(time.time() - parsedate_to_datetime(sent).timestamp())


def _with_token(environment: Mapping[str, str], server: str) -> Iterator[Inspected]:
    source = settings.token_source(environment)
    try:
        token = settings.token(environment)
        with Client(server, token, timeout=_PATIENCE_SECONDS) as client:
            found = client.version()
            yield installation.of_token(token, source)
            yield from installation.of_versions(version("trimtab"), found)
            yield from _who_trains_what(client)
    except Unauthorized:
        yield wrong("token", f"the service does not take the one from {source}", _OURS)
    except Misconfigured as error:
        yield wrong("token", str(error), _OURS)
    except (Refused, Unreachable) as error:
        yield wrong("service", str(error), "look into the log of the service")


def _who_trains_what(client: Client) -> Iterator[Inspected]:
    try:
        workers = list(client.workers())
        studies = list(client.studies(_STUDIES))
    except Forbidden as error:
        yield look("workers", f"not to be seen: {error}", "ask again with a token of kind reader, user or admin")
        return
    yield from installation.of_workers(workers)
    yield from installation.of_studies(studies, workers)
