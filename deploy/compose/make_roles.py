"""Make the database roles of a compose project, each with the password that was written for it.

Every start may run this: what is there is set to what it ought to be.
"""

from contextlib import closing

import psycopg2
import psycopg2.extensions
from psycopg2.sql import SQL, Identifier
from write_secrets import ROLES, SECRETS, password

ADMINISTRATOR = f"host=postgres dbname=trimtab user=postgres passfile={SECRETS}/administrator/pgpass"
STATEMENTS = """
    ALTER DATABASE trimtab OWNER TO trimtab_owner;
    REVOKE ALL ON DATABASE trimtab, postgres, template1 FROM PUBLIC;
    GRANT CONNECT ON DATABASE trimtab TO trimtab_service, trimtab_reader;
"""


def main() -> None:
    """Make the roles, and the database the property of the one that migrates."""
    with closing(psycopg2.connect(ADMINISTRATOR)) as connection, connection:
        for folder, role in ROLES.items():
            if role != "postgres":
                make(connection, role, password(SECRETS / folder / "pgpass"))
        with connection.cursor() as cursor:
            cursor.execute(STATEMENTS)


def make(connection: psycopg2.extensions.connection, role: str, secret: str) -> None:
    """Let a role exist that can log in, and has no right but those that are given to it."""
    # What proves a password and is none: the server's log may show a statement.
    proof = psycopg2.extensions.encrypt_password(secret, role, scope=connection, algorithm="scram-sha-256")
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,))
        verb = SQL("ALTER" if cursor.rowcount else "CREATE")
        cursor.execute(SQL("{} ROLE {} LOGIN PASSWORD %s").format(verb, Identifier(role)), (proof,))


if __name__ == "__main__":
    main()
