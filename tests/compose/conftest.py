"""One stack for all the tests here: building and starting it is what takes long."""

from collections.abc import Generator, Iterator

import httpx2
import pytest

from tests.compose.stack import CommandFailed, Stack, docker, fresh_stack


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
def stack(engine: None) -> Iterator[Stack]:
    """Everything, brought up by naming the workers, two of them."""
    stack = fresh_stack()
    try:
        stack.up("workers", "--scale", "workers=2")
        yield stack
    finally:
        stack.down()


@pytest.fixture(scope="session")
def token(stack: Stack) -> str:
    """The API's token, read as the README says."""
    return stack.execute("service", "cat", "/secrets/api/token").strip()


@pytest.fixture
def api(stack: Stack, token: str) -> Iterator[httpx2.Client]:
    """The API as it is published on this machine."""
    with httpx2.Client(
        base_url=f"http://127.0.0.1:{stack.port}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the containers wrote below a test that failed."""
    report = yield
    stack = item.funcargs.get("stack")
    if report.failed and isinstance(stack, Stack):
        report.sections.append(("containers", stack.logs()))
    return report
