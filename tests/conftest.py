"""One embedded PostgreSQL for all tests; a database of its own, freshly migrated, for each that wants one."""

import gc
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from sqlalchemy.pool import NullPool

from service import embedded
from service.database import connect
from service.migrate import migrate
from service.storage.optuna_storage import OptunaStorage

_NUMBERS = count()

# The same cases in every run, however slow the machine is: a test that tries others says so itself.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("same")


def pytest_collection_finish() -> None:
    """Look for no garbage among what stays to the end, all modules and tests: it is looked through again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder. Not in pytest's own folder, which the account of root's PostgreSQL cannot reach."""
    with tempfile.TemporaryDirectory(prefix="trimtab-data-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[sa.Engine]:
    """The server, as its administrator."""
    # A run that is terminated ends like one that is interrupted: its server goes with it.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory(prefix="trimtab-tests-") as folder,
        embedded.start(Path(folder)) as database,
    ):
        administrator = sa.create_engine(database.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        # Nothing here need outlive a crash of the machine, so nothing waits for the disk.
        _run(administrator, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield administrator
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def template(postgres: sa.Engine) -> Iterator[str]:
    """The name of a migrated database, which nobody else uses, so that it can be copied."""
    with fresh_database(postgres) as url:
        migrate(url)
        yield str(sa.make_url(url).database)


@pytest.fixture
def empty_database_url(postgres: sa.Engine) -> Iterator[str]:
    """The URL of a database without a table."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture
def database_url(postgres: sa.Engine, template: str) -> Iterator[str]:
    """The URL of a migrated database without a row."""
    with fresh_database(postgres, template) as url:
        yield url


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """The service's connections to a migrated database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def storage(engine: sa.Engine) -> OptunaStorage:
    """Optuna's storage on a migrated database."""
    return OptunaStorage(engine)


@contextmanager
def fresh_database(postgres: sa.Engine, template: str = "template1") -> Iterator[str]:
    """Make a copy of the template, which nobody else uses; give its URL, and remove it at the end."""
    name = f"test_{next(_NUMBERS)}"
    _run(postgres, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield postgres.url.set(database=name).render_as_string(hide_password=False)
    finally:
        _run(postgres, f"DROP DATABASE {name} WITH (FORCE)")


def _run(postgres: sa.Engine, *statements: str) -> None:
    with postgres.connect() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
