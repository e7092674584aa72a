"""Building the images and starting a stack is what takes long: most tests here share one."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

from tests.compose.stack import TWO_WORKERS, CommandFailed, Stack, docker, fresh_stack
from trimtab.client import Client


@pytest.fixture(scope="session")
def engine() -> None:
    """A container engine that answers."""
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except FileNotFoundError:
        pytest.exit("these tests need a container engine, and there is no docker command", returncode=1)
    except CommandFailed as error:
        pytest.exit(f"these tests need a container engine: {error}", returncode=1)


@pytest.fixture(scope="session")
def images(engine: None) -> None:
    """The images of this tree."""
    fresh_stack().build()


@pytest.fixture(scope="session")
def stack(images: None) -> Iterator[Stack]:
    """Everything, brought up by naming the workers, two of them."""
    with _up(*TWO_WORKERS) as stack:
        yield stack


@pytest.fixture(scope="module")
def plain_stack(images: None) -> Iterator[Stack]:
    """Everything, brought up by `docker compose up`."""
    with _up() as stack:
        yield stack


@contextmanager
def _up(*arguments: str) -> Iterator[Stack]:
    stack = fresh_stack()
    try:
        stack.up(*arguments)
        yield stack
    finally:
        stack.down()


@pytest.fixture
def ending_workers(stack: Stack) -> Iterator[None]:
    """Lets a test end workers: the next one finds two again."""
    yield
    stack.up(*TWO_WORKERS)


@pytest.fixture(scope="session")
def token(stack: Stack) -> str:
    """The API's token, read as the README says."""
    return stack.execute("service", "cat", "/secrets/api/token").strip()


@pytest.fixture
def client(stack: Stack, token: str) -> Iterator[Client]:
    """The API as it is published on this machine."""
    with Client(f"http://127.0.0.1:{stack.port}", token) as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the containers wrote below a test that failed."""
    report = yield
    if report.failed:
        stacks = [found for found in item.funcargs.values() if isinstance(found, Stack)]
        report.sections.extend((f"containers of {stack.project}", stack.logs()) for stack in stacks)
    return report
