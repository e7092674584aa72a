"""The schema: what migrations make is what the tables say, whoever makes it and however often."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import optuna
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.pool import NullPool

from service.migrate import VERSION_TABLE, _config, is_current, migrate
from service.tables import metadata
from tests.e2e.running import wait_for
from tests.service import record
from tests.service.test_command import start

OURS = "trimtab_"


def is_ours(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or (str(name).startswith(OURS) and name != VERSION_TABLE)


def differences(url: str) -> list[object]:
    """What sets the database apart from the tables; Optuna's own are its business."""
    settings = {"include_name": is_ours, "compare_type": True, "compare_server_default": True}
    engine = sa.create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=settings), metadata)
    return [item for item in found if not (item[0] == "add_table" and not item[1].name.startswith(OURS))]


def dump(url: str) -> list[tuple[object, ...]]:
    """Every column, constraint and index there is."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        rows = connection.execute(
            sa.text("""
                SELECT 'column', table_name, column_name, data_type, column_default, is_nullable
                FROM information_schema.columns WHERE table_schema = 'public'
                UNION ALL
                SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace
                UNION ALL
                SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
                ORDER BY 1, 2, 3, 4
            """)
        )
        return [tuple(row) for row in rows]


def storage(url: str) -> optuna.storages.RDBStorage:
    return optuna.storages.RDBStorage(url, engine_kwargs={"poolclass": NullPool})


def test_the_migrations_make_the_tables(database_url: str) -> None:
    assert differences(database_url) == []


def test_migrating_again_changes_nothing(database_url: str) -> None:
    before = dump(database_url)

    migrate(database_url)

    assert dump(database_url) == before


def test_eight_at_once_on_an_empty_database_all_succeed(empty_database_url: str, database_url: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(migrate, [empty_database_url] * 8))

    assert dump(empty_database_url) == dump(database_url)


def test_a_migration_that_died_after_optunas_tables_is_finished_by_the_next(
    empty_database_url: str, database_url: str
) -> None:
    storage(empty_database_url)

    migrate(empty_database_url)

    assert dump(empty_database_url) == dump(database_url)


def test_a_database_that_optuna_has_used_keeps_its_studies(empty_database_url: str) -> None:
    study = optuna.create_study(storage=storage(empty_database_url), study_name="older")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)

    migrate(empty_database_url)

    read = optuna.load_study(study_name="older", storage=storage(empty_database_url))
    assert [trial.params for trial in read.trials] == [trial.params for trial in study.trials]


def columns(url: str) -> dict[tuple[str, str], tuple[str, str | None, str]]:
    """Type, default and whether it may be null, of each column."""
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        found = connection.execute(
            sa.text("""
                SELECT table_name, column_name, data_type, coalesce(column_default, identity_generation), is_nullable
                FROM information_schema.columns WHERE table_schema = 'public'
            """)
        )
        return {(table, name): (kind, default, nullable) for table, name, kind, default, nullable in found}


def rules(url: str) -> dict[tuple[str, str], list[str]]:
    """What a row may break, or its end: each check, reference and unique index of each table, and its columns."""
    columns_of = "ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = {} AND attnum = ANY({}))"
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        found = connection.execute(
            sa.text(f"""
                SELECT conrelid::regclass::text, conname, {columns_of.format("conrelid", "conkey")}
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'x')
                UNION ALL
                SELECT confrelid::regclass::text, conname, {columns_of.format("confrelid", "confkey")}
                FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND confdeltype IN ('a', 'r')
                UNION ALL
                SELECT indrelid::regclass::text, relname, {columns_of.format("indrelid", "indkey")}
                FROM pg_index JOIN pg_class ON oid = indexrelid
                WHERE indisunique AND relnamespace = 'public'::regnamespace
            """)
        )
        return {(table, name): names for table, name, names in found}


def revisions() -> list[str]:
    """Each state of the schema there was, the first first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def migrate_to(url: str, revision: str) -> None:
    config = _config()
    with sa.create_engine(url, poolclass=NullPool).connect() as connection:
        config.attributes |= {"connection": connection, "url": url}
        command.upgrade(config, revision)


@pytest.mark.parametrize(("before", "after"), list(pairwise(revisions())))
def test_a_replica_of_the_release_before_serves_on_beside_the_schema(
    empty_database_url: str, before: str, after: str
) -> None:
    migrate_to(empty_database_url, before)
    known, obeyed = columns(empty_database_url), rules(empty_database_url)

    migrate_to(empty_database_url, after)

    found, ruled = columns(empty_database_url), rules(empty_database_url)
    tables = {table for table, _ in known}
    new = {place: found[place] for place in found.keys() - known.keys() if place[0] in tables}
    # A rule on new columns alone holds by their defaults; one on no column is on the whole row.
    unheard_of = {rule: names for rule, names in ruled.items() if rule not in obeyed and rule[0] in tables}
    assert {place: found.get(place) for place in known} == known
    assert [place for place, (_, default, nullable) in new.items() if nullable == "NO" and default is None] == []
    assert [rule for rule, on in unheard_of.items() if not on or any((rule[0], name) in known for name in on)] == []


def test_studies_that_were_linked_before_their_families_were_known_are_linked(empty_database_url: str) -> None:
    migrate_to(empty_database_url, "0006")
    engine = sa.create_engine(empty_database_url, poolclass=NullPool)
    for study, parent in ((1, "NULL"), (2, "1"), (3, "2"), (4, "NULL")):
        record.execute(engine, f"INSERT INTO studies (study_id, study_name) VALUES ({study}, '{study}')")
        values = f"{study}, '{{}}', 1, {parent}"
        record.execute(engine, f"INSERT INTO trimtab_studies (study_id, spec, budget, parent_id) VALUES ({values})")

    migrate(empty_database_url)

    families = "SELECT json_object_agg(study_id, family_id) FROM trimtab_studies"
    assert record.value(engine, families) == {"1": None, "2": 1, "3": 1, "4": None}


def test_a_migration_that_is_killed_half_way_is_finished_by_the_next(
    empty_database_url: str, database_url: str, data_dir: Path
) -> None:
    migrate_to(empty_database_url, "0001")
    stopped = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
    engine = sa.create_engine(empty_database_url, poolclass=NullPool)
    with engine.connect() as holder:
        holder.execute(sa.text("SELECT FROM trimtab_leases"))
        process = start("migrate", DATABASE_URL=empty_database_url, DATA_DIR=str(data_dir))
        try:
            wait_for(lambda: record.value(engine, stopped) == 1)
        finally:
            process.kill()
            process.communicate()

    migrate(empty_database_url)

    assert dump(empty_database_url) == dump(database_url)


def test_a_schema_of_a_newer_release_is_served_and_left_alone(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with sa.create_engine(empty_database_url, poolclass=NullPool).begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = 'of the next release'"))
    before = dump(empty_database_url)

    migrate(empty_database_url)

    assert is_current(empty_database_url)
    assert dump(empty_database_url) == before


def test_a_schema_is_current_once_it_is_migrated(empty_database_url: str) -> None:
    before = is_current(empty_database_url)

    migrate(empty_database_url)

    assert (before, is_current(empty_database_url)) == (False, True)
