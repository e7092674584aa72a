from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.running import TOKEN, Workers, serving
from trimtab.client import Client


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    with ExitStack() as ending:
        yield Workers(tmp_path, ending)


@pytest.fixture
def lease_seconds() -> float:
    """How long a lease lives without a sign of its worker; for tests to override."""
    return 30.0


@pytest.fixture
def server(database_url: str, lease_seconds: float) -> Iterator[str]:
    """The URL of a service."""
    with serving(database_url, lease_seconds=lease_seconds) as url:
        yield url


@pytest.fixture
def client(server: str) -> Iterator[Client]:
    with Client(server, TOKEN) as client:
        yield client
