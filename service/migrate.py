"""Brings a database to the newest schema. Any number of processes may do so at once; one does the work."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from service.grants import grant

ROOT = Path(__file__).parents[1]

# Any number will do, as long as it is always the same and nobody else's: "trimtab" in ASCII.
_LOCK = int.from_bytes(b"trimtab")

VERSION_TABLE = "trimtab_alembic_version"
"""Where our schema is stamped; alembic_version is Optuna's."""


def migrate(url: str) -> None:
    """Create or upgrade the schema of the database at `url`, and say what other roles may do with its rows.

    A lock of the session makes others wait; it goes with the connection, so a killed migration blocks nobody.

    A schema of a newer release is left as it is: this replica may have been started again while others are upgraded.

    Raises:
        sqlalchemy.exc.OperationalError: The database cannot be reached.
        RuntimeError: Optuna's own tables are there, made by another major version of Optuna.
    """
    config = _config()
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        if _is_newer(connection):
            return
        config.attributes |= {"connection": connection, "url": url}
        command.upgrade(config, "head")
        grant(connection)
        connection.commit()


def is_current(url: str) -> bool:
    """Return whether the database at `url` has the newest schema that we know of, or a newer one.

    Raises:
        sqlalchemy.exc.OperationalError: The database cannot be reached.
    """
    heads = set(ScriptDirectory.from_config(_config()).get_heads())
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return _stamps(connection) == heads or _is_newer(connection)


def _is_newer(connection: Connection) -> bool:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return not _stamps(connection) <= known


def _stamps(connection: Connection) -> set[str]:
    context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return set(context.get_current_heads())


def _config() -> Config:
    return Config(toml_file=ROOT / "pyproject.toml")
