"""Brings a database to the newest schema. Any number of processes may do so at once; one does the work."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
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

    Raises:
        sqlalchemy.exc.OperationalError: The database cannot be reached.
        RuntimeError: Optuna's own tables are there, made by another major version of Optuna.
    """
    config = _config()
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        config.attributes |= {"connection": connection, "url": url}
        command.upgrade(config, "head")
        grant(connection)
        connection.commit()


def is_current(url: str) -> bool:
    """Return whether the database at `url` has the newest schema.

    Raises:
        sqlalchemy.exc.OperationalError: The database cannot be reached.
    """
    heads = set(ScriptDirectory.from_config(_config()).get_heads())
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return set(context.get_current_heads()) == heads


def _config() -> Config:
    return Config(toml_file=ROOT / "pyproject.toml")
