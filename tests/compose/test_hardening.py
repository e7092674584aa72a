"""What a container could do to its machine and to the others if its program were taken over."""

import pytest

from tests.compose.stack import CommandFailed, Stack

pytestmark = pytest.mark.compose
OURS = ("service", "workers")


@pytest.mark.parametrize("service", OURS)
def test_our_containers_run_as_a_user_without_rights(stack: Stack, service: str) -> None:
    status = dict(line.split(":\t") for line in stack.execute(service, "cat", "/proc/1/status").splitlines())

    assert status["Uid"].split() == ["10001"] * 4
    assert int(status["CapBnd"], base=16) == 0
    assert status["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize("folder", ["/", "/opt/trimtab", "/secrets/api"])
def test_our_containers_cannot_write_what_they_run_or_are_given(stack: Stack, service: str, folder: str) -> None:
    with pytest.raises(CommandFailed, match="Read-only file system"):
        stack.execute(service, "touch", f"{folder}/planted")


@pytest.mark.parametrize("service", OURS)
def test_our_containers_can_write_what_may_be_lost(stack: Stack, service: str) -> None:
    stack.execute(service, "touch", "/tmp/scratch")

    assert "scratch" in stack.execute(service, "ls", "/tmp")


def test_the_api_is_published_on_this_machine_alone_and_the_database_not_at_all(stack: Stack) -> None:
    published = {
        container["Config"]["Labels"]["com.docker.compose.service"]: container["HostConfig"]["PortBindings"]
        for container in stack.containers()
    }

    assert published["service"] == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]}
    assert not published["postgres"]
    assert not published["workers"]


@pytest.mark.parametrize(
    ("service", "package"), [("service", "torch"), ("workers", "sqlalchemy"), ("workers", "pytest")]
)
def test_an_image_holds_no_package_that_its_program_does_not_need(stack: Stack, service: str, package: str) -> None:
    with pytest.raises(CommandFailed, match=f"No module named '{package}'"):
        stack.execute(service, "python", "-c", f"import {package}")
