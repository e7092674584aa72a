"""Whatever PostgreSQL refuses for a time is 503 and not a defect; whatever is wrong with a connection ends it."""

import threading
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import psycopg2
import pytest
import sqlalchemy as sa
from psycopg2.extensions import set_wait_callback
from sqlalchemy import exc
from sqlalchemy.pool import NullPool

from service import silence
from service.database import POOL_SIZE, autocommit, connect, transaction
from tests.service.long_polls import wait_until
from tests.service.served import Served
from trimtab.errors import Unavailable

PASSING = {
    "53000": "insufficient resources",
    "53100": "disk full",
    "53200": "out of memory",
    "53300": "too many connections",
    "40P01": "deadlock",
    "40001": "serialization failure",
    "55P03": "lock not available",
    "57014": "statement timeout",
    "57P01": "terminated by the administrator",
    "57P03": "starting up",
    "25006": "read only",
    "08006": "connection failure",
    "58030": "input or output error",
}


@pytest.mark.parametrize("code", PASSING, ids=PASSING.values())
def test_what_passes_is_asked_to_come_back(engine: sa.Engine, code: str) -> None:
    with pytest.raises(Unavailable) as refused, transaction(engine) as connection:
        connection.execute(sa.text(f"DO $$ BEGIN RAISE SQLSTATE '{code}'; END $$"))

    assert refused.value.retry_after == 1


def test_what_is_wrong_with_a_statement_is_a_defect(engine: sa.Engine) -> None:
    with pytest.raises(exc.ProgrammingError), transaction(engine) as connection:
        connection.execute(sa.text("SELECT FROM no_such_table"))


def backend(engine: sa.Engine) -> object:
    with transaction(engine) as connection:
        return connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()


def test_a_connection_to_a_server_that_was_demoted_is_not_used_again(engine: sa.Engine) -> None:
    demoted = backend(engine)

    with pytest.raises(Unavailable), transaction(engine) as connection:
        connection.execute(sa.text("DO $$ BEGIN RAISE SQLSTATE '25006'; END $$"))

    assert backend(engine) != demoted


def test_a_connection_whose_plans_are_older_than_the_schema_is_not_used_again(engine: sa.Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(sa.text("CREATE TEMP TABLE upgraded (n int)"))
        connection.execute(sa.text("PREPARE of_the_older_release AS SELECT * FROM upgraded"))
        connection.execute(sa.text("EXECUTE of_the_older_release"))
    planned = backend(engine)
    with transaction(engine) as connection:
        connection.execute(sa.text("ALTER TABLE upgraded ADD m int"))

    with pytest.raises(Unavailable), transaction(engine) as connection:
        connection.execute(sa.text("EXECUTE of_the_older_release"))

    assert backend(engine) != planned


def test_a_feature_that_is_not_there_is_a_defect(engine: sa.Engine) -> None:
    with pytest.raises(exc.NotSupportedError), transaction(engine) as connection:
        connection.execute(sa.text("SELECT 1 UNION SELECT 2 FOR UPDATE"))


def test_a_call_on_a_database_without_a_schema_is_asked_to_come_back(empty_database_url: str) -> None:
    engine = connect(empty_database_url)

    with pytest.raises(Unavailable, match="the schema of the database is behind") as refused, transaction(engine):
        pass

    # PostgreSQL hears of it a moment later. As long as the error is known, nothing is closed for want of a use.
    wait_until(lambda: connections(empty_database_url) == 0)
    assert refused.value.retry_after == 1


def connections(url: str) -> int:
    """Return how many others are connected to a database."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        return int(connection.execute(sa.text(f"{others} AND backend_type = 'client backend'")).scalar_one())


@pytest.mark.usefixtures("unhurried")
def test_a_service_that_loses_its_schema_is_not_ready(http: httpx2.Client, served: Served) -> None:
    ready = http.get("/readyz").status_code
    with transaction(served.replica.engine) as connection:
        connection.execute(sa.text("ALTER TABLE trimtab_studies RENAME TO elsewhere"))

    try:
        lost = http.get("/readyz")
    finally:
        with transaction(served.replica.engine) as connection:
            connection.execute(sa.text("ALTER TABLE elsewhere RENAME TO trimtab_studies"))

    assert (ready, lost.status_code, lost.json()["code"]) == (200, 503, "unavailable")


@pytest.fixture
def round_trips(engine: sa.Engine) -> Iterator[list[object]]:
    """What waited for PostgreSQL's answer, each time that anything in this thread did."""
    backend(engine)
    waited: list[object] = []
    here = threading.get_ident()

    def wait(connection: object) -> None:
        if threading.get_ident() == here:
            waited.append(connection)
        silence._wait(connection)

    set_wait_callback(wait)
    yield waited
    silence.install()


def test_a_statement_that_is_committed_at_once_is_one_round_trip(engine: sa.Engine, round_trips: list[object]) -> None:
    for _ in range(3):
        with autocommit(engine) as connection:
            connection.execute(sa.text("SELECT 1"))

    assert len(round_trips) == 3


def test_a_connection_that_ends_after_its_last_statement_leaves_its_place_to_another(
    engine: sa.Engine, database_url: str
) -> None:
    with sa.create_engine(database_url, poolclass=NullPool).connect() as administrator:
        for _ in range(2 * POOL_SIZE):
            with suppress(Unavailable), autocommit(engine) as connection:
                used = connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one()
                administrator.execute(sa.text("SELECT pg_terminate_backend(:used, 5000)"), {"used": used})

    with suppress(Unavailable):
        backend(engine)
    assert backend(engine)


def test_other_connections_of_the_process_wait_as_ever(engine: sa.Engine, database_url: str) -> None:
    backend(engine)
    url = sa.make_url(database_url)
    other = psycopg2.connect(host=url.query["host"], port=url.query["port"], user=url.username, dbname=url.database)

    with other, other.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.01), 7")
        found = cursor.fetchone()
    other.close()

    assert found[1] == 7
