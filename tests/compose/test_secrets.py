"""Nobody has to invent a secret, and each is seen only by those who need it."""

import json
import re

import pytest

from tests.compose.stack import CommandFailed, Stack

pytestmark = pytest.mark.compose
FOLDERS = ("administrator", "api", "owner", "reader", "service", "worker")
SEEN = {
    "secrets": {"administrator", "api", "owner", "reader", "service"},
    "postgres": {"administrator"},
    "roles": {"administrator", "owner", "reader", "service"},
    "migrate": {"owner"},
    "token": {"service", "worker"},
    "service": {"api", "service"},
    "workers": {"worker"},
}
RUNNING = ("postgres", "service", "workers")


def contents(stack: Stack) -> dict[str, str]:
    """Return every secret there is, by its file."""
    mounts = [f"{folder}-secrets:/secrets/{folder}:ro" for folder in FOLDERS]
    read = "for file in /secrets/*/*; do echo $(stat --format '%a:%u' $file):$file:$(cat $file); done"
    volumes = [part for mount in mounts for part in ("--volume", f"{stack.project}_{mount}")]
    lines = stack.run_once("trimtab-service", *volumes, command=("sh", "-c", read)).splitlines()
    return {path: f"{mode}:{user}:{content}" for mode, user, path, content in (line.split(":", 3) for line in lines)}


def secrets_in(stack: Stack) -> set[str]:
    """Return the tokens and passwords alone."""
    return {content.rpartition(":")[2] for content in contents(stack).values()}


def test_the_first_start_writes_random_secrets(stack: Stack, token: str) -> None:
    found = contents(stack)
    passwords = {content.rpartition(":")[2] for path, content in found.items() if path.endswith("pgpass")}

    assert re.fullmatch(r"ttk_[\w-]{43}", token)
    assert len(passwords) == 4
    assert all(re.fullmatch(r"[\w-]{43}", password) for password in passwords)


def test_secrets_are_files_of_one_user(stack: Stack) -> None:
    modes = {path: content.split(":")[:2] for path, content in contents(stack).items()}

    # PostgreSQL reads the administrator's password as a user of its own, of this group.
    assert modes.pop("/secrets/administrator/password") == ["640", "10001"]
    assert set(modes) == {
        "/secrets/administrator/pgpass",
        "/secrets/api/token",
        "/secrets/owner/pgpass",
        "/secrets/reader/pgpass",
        "/secrets/service/pgpass",
        "/secrets/worker/token",
    }
    assert all(mode == ["600", "10001"] for mode in modes.values())


def test_the_next_start_keeps_the_secrets(stack: Stack) -> None:
    before = contents(stack)

    for service in ("secrets", "roles", "migrate", "token"):
        stack.compose("run", "--rm", "--no-deps", service)

    assert contents(stack) == before


def test_each_container_is_given_its_own_secrets_alone(stack: Stack) -> None:
    seen = {
        container["Config"]["Labels"]["com.docker.compose.service"]: {
            mount["Destination"].rpartition("/")[2]
            for mount in container["Mounts"]
            if mount["Destination"].startswith("/secrets/")
        }
        for container in stack.containers()
    }

    assert seen == SEEN


def test_no_secret_is_part_of_a_container_or_in_a_log(stack: Stack) -> None:
    told, logs = json.dumps(stack.containers()), stack.logs()

    assert "database system is ready" in logs
    assert [secret for secret in secrets_in(stack) if secret in told or secret in logs] == []


@pytest.mark.parametrize("service", RUNNING)
def test_no_process_has_a_token_or_a_password_of_ours_in_its_environment(stack: Stack, service: str) -> None:
    # Children of workers, too. What a server was first made with PostgreSQL's image hands on to its first process.
    environments = stack.execute(service, "sh", "-c", "cat /proc/[0-9]*/environ | tr '\\0' '\\n'")
    administrators = contents(stack)["/secrets/administrator/password"].rpartition(":")[2]

    assert "PATH=" in environments
    assert [secret for secret in secrets_in(stack) - {administrators} if secret in environments] == []


def test_a_worker_has_a_token_of_its_kind_and_no_way_to_the_database(stack: Stack, token: str) -> None:
    seen = stack.execute("workers", "sh", "-c", "cat /secrets/*/*").strip()

    assert seen != token
    assert re.fullmatch(r"ttk_[\w-]+", seen)
    with pytest.raises(CommandFailed, match=r"Name or service not known|name resolution"):
        stack.execute("workers", "python", "-c", "import socket; socket.create_connection(('postgres', 5432), 5)")
