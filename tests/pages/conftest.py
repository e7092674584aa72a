"""One service, one worker and one study that it trained, looked at by all tests of this folder in a real browser."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from service import crowd, database, silence
from service.dashboard import asking
from service.importances import fanova
from service.web.figures.kept import Figures
from tests.conftest import fresh_database
from tests.e2e.running import TOKEN, Workers, serving
from tests.pages import browsing
from tests.pages.browsing import PATIENCE_MS, People, Windows, chromium
from tests.pages.trained import Trained, train
from trimtab.client import Client

expect.set_options(timeout=PATIENCE_MS)

LEASE_SECONDS = 600.0
"""Who trains for a test reports when the test says so."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look at pages last, and not at all where there is no browser."""
    # Once playwright has begun, its event loop runs in this thread, and nobody else's can.
    items.sort(key=_is_here)
    if not chromium():
        for item in filter(_is_here, items):
            item.add_marker(pytest.mark.skip(reason="no chromium on this machine: apt-get install chromium"))


def _is_here(item: pytest.Item) -> bool:
    return item.path.is_relative_to(Path(__file__).parent)


@pytest.fixture(scope="session")
def pages_database_url(postgres: sa.Engine, template: str) -> Iterator[str]:
    with fresh_database(postgres, template) as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """Have the service do whatever is asked of it, as long as it takes: on a busy machine it would refuse some."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            patched.setitem(database._OPTIONS, name, "60s")
        patched.setattr(database, "_POOL_SECONDS", 60)
        patched.setattr(silence, "ANSWER_SECONDS", 70.0)
        patched.setattr(crowd, "PATIENCE_SECONDS", 60.0)
        patched.setattr(fanova, "LIMIT_SECONDS", 100.0)
        patched.setattr(asking, "LIMIT_SECONDS", 100.0)
        patched.setitem(Figures.__init__.__kwdefaults__ or {}, "seconds", 110.0)
        yield


@pytest.fixture(scope="session")
def url(pages_database_url: str, unhurried: None) -> Iterator[str]:
    """The URL of the service."""
    with serving(pages_database_url, lease_seconds=LEASE_SECONDS) as url:
        yield url


@pytest.fixture(scope="session")
def client(url: str) -> Iterator[Client]:
    with Client(url, TOKEN) as client:
        yield client


@pytest.fixture(scope="session")
def worker(url: str) -> Iterator[None]:
    """One worker, which trains whatever is created."""
    with tempfile.TemporaryDirectory(prefix="trimtab-pages-") as folder, ExitStack() as ending:
        Workers(Path(folder), ending).start(url, "--slots", "1", "--device", "cpu")
        yield


@pytest.fixture(scope="session")
def trained(client: Client, worker: None) -> Trained:
    """A study that really ran."""
    return train(client)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with browsing.browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def people(browser: Browser, url: str, client: Client) -> People:
    return People(browser, url, client)


@pytest.fixture
def windows(people: People) -> Iterator[Windows]:
    """Opens pages. Whatever no page may do fails the test in the end."""
    with browsing.windows(people) as windows:
        yield windows
