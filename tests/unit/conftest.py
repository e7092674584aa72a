"""A stub of the service, and a client of it that never waits."""

from collections.abc import Iterator

import pytest

from tests.unit.stub import TOKEN, Stub, serving
from trimtab.client import Client


@pytest.fixture
def stub() -> Iterator[Stub]:
    with serving() as stub:
        yield stub


@pytest.fixture
def pauses() -> list[float]:
    """How long the client waited between its tries, in seconds, were it not that time stands still."""
    return []


@pytest.fixture
def client(stub: Stub, pauses: list[float]) -> Iterator[Client]:
    with Client(stub.url, TOKEN, sleep=pauses.append, chance=lambda: 1.0) as client:
        yield client
