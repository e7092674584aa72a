"""Three roles: one owns the tables, one serves, one reads. Each can do its job, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import optuna
import pytest
import sqlalchemy as sa
from anyio.from_thread import BlockingPortal
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from service.grants import Role, rights
from service.litter import forget
from service.migrate import is_current, migrate
from service.sweep import sweep
from tests.conftest import fresh_database
from tests.service.served import Served, serve
from tests.service.specs import METRIC, spec

OWNER = "trimtab_owner"
SECRETS = ("trimtab_keys", "trimtab_tokens")
FORBIDDEN = (
    "CREATE TABLE planted ()",
    "CREATE TEMPORARY TABLE planted ()",
    "CREATE SCHEMA planted",
    "CREATE FUNCTION planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "DROP TABLE trimtab_workers",
    "ALTER TABLE trimtab_workers ADD COLUMN planted int",
    "ALTER TABLE trimtab_audit DISABLE TRIGGER ALL",
    "DROP TRIGGER trimtab_audit_is_append_only ON trimtab_audit",
    "CREATE INDEX planted ON trimtab_workers (name)",
    "TRUNCATE trimtab_workers",
    "TRUNCATE trimtab_audit",
    "UPDATE trimtab_audit SET subject = 'planted'",
    "DELETE FROM trimtab_audit",
    "UPDATE trimtab_alembic_version SET version_num = 'planted'",
    "SET session_replication_role = replica",
    "CREATE ROLE planted",
    f"SET ROLE {OWNER}",
    "COPY trimtab_workers TO PROGRAM 'true'",
    "SELECT pg_read_file('/etc/passwd')",
)


@dataclass(frozen=True)
class Owned:
    """A database that its owner has migrated."""

    _url: sa.URL

    def url(self, role: str) -> str:
        return self._url.set(username=role).render_as_string(hide_password=False)

    def run(self, role: str, statement: str) -> None:
        with sa.create_engine(self.url(role), poolclass=NullPool).begin() as connection:
            connection.exec_driver_sql(statement)

    def tables(self) -> list[str]:
        with sa.create_engine(self._url, poolclass=NullPool).connect() as connection:
            return sa.inspect(connection).get_table_names()


@pytest.fixture(scope="module")
def owned(postgres: sa.Engine) -> Iterator[Owned]:
    with roles(postgres), fresh_database(postgres) as given:
        url = sa.make_url(given)
        with postgres.connect() as connection:
            connection.exec_driver_sql(f"ALTER DATABASE {url.database} OWNER TO {OWNER}")
            connection.exec_driver_sql(f"REVOKE ALL ON DATABASE {url.database} FROM PUBLIC")
            connection.exec_driver_sql(f"GRANT CONNECT ON DATABASE {url.database} TO {', '.join(Role)}")
        owned = Owned(url)
        migrate(owned.url(OWNER))
        yield owned


@contextmanager
def roles(postgres: sa.Engine) -> Iterator[None]:
    with postgres.connect() as connection:
        for role in (OWNER, *Role):
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        try:
            yield
        finally:
            for role in (OWNER, *Role):
                connection.exec_driver_sql(f"DROP ROLE {role}")


@pytest.fixture
def served(owned: Owned, portal: BlockingPortal) -> Iterator[Served]:
    with serve(owned.url(Role.SERVICE), portal) as served:
        yield served


def test_the_serving_role_does_the_whole_job(served: Served) -> None:
    client = served.client
    client.create_study(spec(budget={"trials": 2}))

    complete, released = client.ask("worker", study="study", count=2).leases
    client.report(complete, step=1, metrics={METRIC: 0.5})
    client.tell(complete, "complete", metrics={METRIC: 0.5})
    client.tell(released, "released")
    sweep(served.replica)
    forget(served.replica)

    assert client.best_trial("study").number == complete.trial
    assert [worker.name for worker in client.workers()] == ["worker"]
    client.delete_study("study")
    assert list(client.studies()) == []


def test_the_serving_role_sees_that_the_schema_is_current(owned: Owned) -> None:
    assert is_current(owned.url(Role.SERVICE))


@pytest.mark.parametrize("statement", FORBIDDEN)
@pytest.mark.parametrize("role", Role)
def test_no_role_but_the_owner_has_a_right_to_more_than_rows(owned: Owned, role: Role, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be"):
        owned.run(role, statement)


def test_the_reading_role_loads_a_study_with_optuna(owned: Owned, served: Served) -> None:
    served.client.create_study(spec("read"))
    lease = served.client.ask("worker", study="read").leases[0]
    served.client.tell(lease, "complete", metrics={METRIC: 0.5})

    storage = optuna.storages.RDBStorage(owned.url(Role.READER), engine_kwargs={"poolclass": NullPool})
    study = optuna.load_study(study_name="read", storage=storage)

    assert study.best_value == 0.5


def test_the_reading_role_reads_every_table_but_those_of_secrets_and_writes_none(owned: Owned) -> None:
    for table in owned.tables():
        if table not in SECRETS:
            owned.run(Role.READER, f"SELECT * FROM {table}")
        with pytest.raises(ProgrammingError, match="permission denied"):
            owned.run(Role.READER, f"DELETE FROM {table}")
        with pytest.raises(ProgrammingError, match="permission denied"):
            owned.run(Role.READER, f"INSERT INTO {table} DEFAULT VALUES")

    for table in SECRETS:
        with pytest.raises(ProgrammingError, match="permission denied"):
            owned.run(Role.READER, f"SELECT * FROM {table}")


def test_a_table_of_a_later_migration_is_served_too(owned: Owned) -> None:
    owned.run(OWNER, "CREATE TABLE trimtab_later (later_id bigserial PRIMARY KEY)")

    migrate(owned.url(OWNER))

    owned.run(Role.SERVICE, "INSERT INTO trimtab_later DEFAULT VALUES")
    owned.run(Role.READER, "SELECT * FROM trimtab_later")


def test_a_right_that_somebody_gave_by_hand_is_taken_at_the_next_migration(owned: Owned) -> None:
    owned.run(OWNER, f"GRANT ALL ON trimtab_audit, trimtab_tokens TO {Role.SERVICE}, {Role.READER}")

    migrate(owned.url(OWNER))

    for role in Role:
        with pytest.raises(ProgrammingError, match="permission denied"):
            owned.run(role, "DELETE FROM trimtab_audit")


@pytest.mark.parametrize("table", SECRETS)
def test_who_reads_has_no_right_to_what_proves_who_one_is(table: str) -> None:
    assert rights(Role.READER, table) == frozenset()
