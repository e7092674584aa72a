"""What a container could do to its machine and to the others if its program were taken over."""

from typing import Any

import pytest

from tests.compose.stack import CommandFailed, Stack

pytestmark = pytest.mark.compose
OURS = ("service", "workers")
RUNNING = (*OURS, "postgres")
ALL = {"secrets", "postgres", "roles", "migrate", "token", "service", "workers"}


def by_service(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return what the engine tells of one container of each service, also of those that ran once."""
    return {container["Config"]["Labels"]["com.docker.compose.service"]: container for container in stack.containers()}


@pytest.mark.parametrize("service", RUNNING)
def test_every_process_of_a_container_is_of_a_user_without_rights(stack: Stack, service: str) -> None:
    read = "cat /proc/[0-9]*/status 2>/dev/null || true"
    lines = [line.split() for line in stack.execute(service, "sh", "-c", read).splitlines()]

    users = {user for name, *users in lines if name == "Uid:" for user in users}
    capabilities = {int(held, base=16) for name, held, *_ in lines if name.startswith("Cap")}
    may_gain = {value for name, value, *_ in lines if name == "NoNewPrivs:"}
    assert users
    assert "0" not in users
    assert capabilities == {0}
    assert may_gain == {"1"}


def test_every_container_is_hardened_and_limited(stack: Stack) -> None:
    containers = by_service(stack)
    hosts = {service: container["HostConfig"] for service, container in containers.items()}

    assert set(hosts) == ALL
    assert all(host["ReadonlyRootfs"] for host in hosts.values())
    assert all(host["CapDrop"] == ["ALL"] and not host["CapAdd"] for host in hosts.values())
    assert all(host["SecurityOpt"] == ["no-new-privileges:true"] for host in hosts.values())
    assert all(0 < host["PidsLimit"] <= 1024 for host in hosts.values())
    assert all(0 < host["Memory"] <= 8 * 2**30 for host in hosts.values())
    assert not any(host["Privileged"] for host in hosts.values())
    assert all(container["Config"]["User"] not in {"", "0", "root"} for container in containers.values())


def test_what_runs_once_has_ended_well(stack: Stack) -> None:
    states = {service: container["State"] for service, container in by_service(stack).items()}
    codes = {service: state["ExitCode"] for service, state in states.items() if not state["Running"]}

    assert codes == dict.fromkeys(ALL - set(RUNNING), 0)


@pytest.mark.parametrize("service", RUNNING)
@pytest.mark.parametrize("folder", ["/", "/opt", "/etc", "/usr/bin", "/secrets"])
def test_containers_cannot_write_what_they_run(stack: Stack, service: str, folder: str) -> None:
    with pytest.raises(CommandFailed, match="Read-only file system"):
        stack.execute(service, "touch", f"{folder}/planted")


@pytest.mark.parametrize(
    ("service", "folder"),
    [
        ("service", "/opt/trimtab"),
        ("service", "/secrets/api"),
        ("service", "/secrets/service"),
        ("workers", "/opt/trimtab"),
        ("workers", "/secrets/worker"),
        ("postgres", "/secrets/administrator"),
    ],
)
def test_containers_cannot_write_what_they_are_given(stack: Stack, service: str, folder: str) -> None:
    with pytest.raises(CommandFailed, match="Read-only file system"):
        stack.execute(service, "touch", f"{folder}/planted")


@pytest.mark.parametrize("service", RUNNING)
def test_containers_can_write_what_may_be_lost(stack: Stack, service: str) -> None:
    stack.execute(service, "touch", "/tmp/scratch")

    assert "scratch" in stack.execute(service, "ls", "/tmp")


def test_the_service_can_write_its_artifacts(stack: Stack) -> None:
    stack.execute("service", "sh", "-c", "touch /artifacts/scratch && rm /artifacts/scratch")


def test_the_api_is_published_on_this_machine_alone_and_nothing_else_is(stack: Stack) -> None:
    published = {
        service: container["HostConfig"]["PortBindings"]
        for service, container in by_service(stack).items()
        if container["HostConfig"]["PortBindings"]
    }

    assert published == {"service": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]}}


@pytest.mark.parametrize(
    ("service", "package"), [("service", "pytest"), ("workers", "sqlalchemy"), ("workers", "pytest")]
)
def test_an_image_holds_no_package_that_its_program_does_not_need(stack: Stack, service: str, package: str) -> None:
    with pytest.raises(CommandFailed, match=f"No module named '{package}'"):
        stack.execute(service, "python", "-c", f"import {package}")
