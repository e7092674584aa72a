"""Nobody prepares a secret, and each is seen only by those who need it."""

import json
import re

import pytest

from tests.compose.stack import CommandFailed, Stack

pytestmark = pytest.mark.compose


@pytest.fixture(scope="session")
def password(stack: Stack) -> str:
    """The database's password."""
    return stack.execute("service", "cat", "/secrets/database/password").strip()


def test_the_first_start_writes_random_secrets(token: str, password: str) -> None:
    assert re.fullmatch(r"ttk_[\w-]{43}", token)
    assert re.fullmatch(r"[\w-]{43}", password)
    assert password not in token


def test_the_next_start_keeps_the_secrets(stack: Stack, token: str, password: str) -> None:
    stack.compose("run", "--rm", "secrets")

    assert stack.execute("service", "cat", "/secrets/api/token").strip() == token
    assert stack.execute("service", "cat", "/secrets/database/password").strip() == password


def test_secrets_are_files_of_one_user_and_never_part_of_a_container(stack: Stack, token: str, password: str) -> None:
    told = json.dumps(stack.containers())
    modes = stack.execute("service", "sh", "-c", "stat --format '%a %u' /secrets/*/*").splitlines()

    assert token not in told
    assert password not in told
    assert modes == ["600 10001"] * 3


def test_logs_hold_no_secret(stack: Stack, token: str, password: str) -> None:
    logs = stack.logs()

    assert "database system is ready" in logs
    assert token not in logs
    assert password not in logs


def test_a_worker_has_the_token_but_neither_the_databases_password_nor_a_way_to_it(stack: Stack, token: str) -> None:
    seen = stack.execute("workers", "sh", "-c", "cat /secrets/*/*").strip()

    assert seen == token
    with pytest.raises(CommandFailed, match=r"Name or service not known|name resolution"):
        stack.execute("workers", "python", "-c", "import socket; socket.create_connection(('postgres', 5432), 5)")


def test_the_database_refuses_who_has_no_password(stack: Stack) -> None:
    connect = "import psycopg2; psycopg2.connect('host=postgres user=trimtab passfile=/nowhere')"

    with pytest.raises(CommandFailed, match="no password supplied"):
        stack.execute("service", "python", "-c", connect)
