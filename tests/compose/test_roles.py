"""Each role of the database can do its job with its own password, and nothing else."""

from collections.abc import Callable

import pytest

from tests.compose.stack import CommandFailed, Stack

pytestmark = pytest.mark.compose
FORBIDDEN = (
    "CREATE TABLE planted ()",
    "CREATE TEMPORARY TABLE planted ()",
    "DROP TABLE trimtab_workers",
    "ALTER TABLE trimtab_workers ADD COLUMN planted int",
    "ALTER TABLE trimtab_audit DISABLE TRIGGER ALL",
    "UPDATE trimtab_audit SET subject = subject",
    "DELETE FROM trimtab_audit",
    "TRUNCATE trimtab_audit",
    "CREATE ROLE planted",
    "COPY trimtab_workers TO PROGRAM 'true'",
)
RUN = """
import sys, psycopg2
role, statement = sys.argv[1:]
connection = psycopg2.connect(f"host=postgres dbname=trimtab user=trimtab_{role} passfile=/secrets/pgpass")
connection.cursor().execute(statement)
"""
Run = Callable[[str, str], None]


@pytest.fixture
def run(stack: Stack) -> Run:
    """Runs a statement as a role, from a container that is given the role's secret alone."""

    def run(role: str, statement: str) -> None:
        network = f"{stack.project}_database"
        secret = f"{stack.project}_{role}-secrets:/secrets:ro"
        command = ("python", "-c", RUN, role, statement)
        stack.run_once("trimtab-service", "--network", network, "--volume", secret, command=command)

    return run


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_serving_role_has_rights_on_rows_only(run: Run, statement: str) -> None:
    with pytest.raises(CommandFailed, match=r"permission denied|must be"):
        run("service", statement)


@pytest.mark.parametrize(
    "statement", [*FORBIDDEN, "SELECT * FROM trimtab_tokens", "SELECT * FROM trimtab_keys", "DELETE FROM studies"]
)
def test_the_reading_role_reads_rows_but_tokens_and_kept_answers(run: Run, statement: str) -> None:
    run("reader", "SELECT * FROM trials, trimtab_trials, trimtab_audit")

    with pytest.raises(CommandFailed, match=r"permission denied|must be"):
        run("reader", statement)


def test_the_migrating_role_owns_the_tables_and_is_no_administrator(run: Run) -> None:
    run("owner", "CREATE TABLE planted (); DROP TABLE planted")

    with pytest.raises(CommandFailed, match=r"permission denied"):
        run("owner", "CREATE ROLE planted")


@pytest.mark.parametrize("role", ["owner", "service", "reader"])
def test_the_database_refuses_who_has_no_password(stack: Stack, role: str) -> None:
    connect = f"import psycopg2; psycopg2.connect('host=postgres user=trimtab_{role} dbname=trimtab passfile=/nowhere')"

    with pytest.raises(CommandFailed, match="no password supplied"):
        stack.execute("service", "python", "-c", connect)


def test_the_password_of_one_role_is_not_that_of_another(stack: Stack) -> None:
    borrow = (
        "import pathlib, psycopg2; secret = pathlib.Path('/secrets/service/pgpass').read_text().strip().split(':')[-1];"
        "psycopg2.connect(host='postgres', dbname='trimtab', user='trimtab_owner', password=secret)"
    )

    with pytest.raises(CommandFailed, match="password authentication failed"):
        stack.execute("service", "python", "-c", borrow)
