"""Brings a database to the newest schema. Any number of processes may do so at once; one does the work."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

ROOT = Path(__file__).parents[1]

# Any number will do, as long as it is always the same and nobody else's: "trimtab" in ASCII.
_LOCK = int.from_bytes(b"trimtab")


def migrate(url: str) -> None:
    """Create or upgrade the schema of the database at `url`.

    A lock of the session makes others wait; it goes with the connection, so a killed migration blocks nobody.

    Raises:
        sqlalchemy.exc.OperationalError: The database cannot be reached.
        RuntimeError: Optuna's own tables are there, made by another major version of Optuna.
    """
    config = Config(toml_file=ROOT / "pyproject.toml")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        connection.commit()
        config.attributes |= {"connection": connection, "url": url}
        command.upgrade(config, "head")
