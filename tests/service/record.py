"""Looks into the database, and moves its time on."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

Rows = dict[str, list[str]]

_TABLES = sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
# All the while somebody was there to renew them, and is until a slow machine has ended them: it may take over 2 s.
_RUN_OUT = sa.text("""
    WITH seen AS (UPDATE trimtab_liveness SET seen_at = clock_timestamp() + interval '1 min')
    UPDATE trimtab_leases SET expires_at = clock_timestamp() - interval '1 s' WHERE ended_at IS NULL
""")

# As it is in the database after nobody was there for so long: all that is in it is older.
_PASS = """
    WITH seen AS (
      UPDATE trimtab_liveness SET seen_at = least(seen_at, clock_timestamp()) - make_interval(secs => :seconds)
    )
    UPDATE trimtab_leases SET
      leased_at = leased_at - make_interval(secs => :seconds),
      renewed_at = renewed_at - make_interval(secs => :seconds),
      expires_at = expires_at - make_interval(secs => :seconds),
      trial_due_at = trial_due_at - make_interval(secs => :seconds),
      due_at = due_at - make_interval(secs => :seconds)
"""


def rows(engine: sa.Engine) -> Rows:
    """Return all that is stored, by table."""
    with engine.connect() as connection:
        tables = connection.execute(_TABLES).scalars().all()
        found: Rows = {table: [] for table in tables}
        every = " UNION ALL ".join(f"SELECT '{table}', t::text FROM {table} t" for table in tables)
        for table, row in connection.execute(sa.text(f"{every} ORDER BY 1, 2")):
            found[table].append(row)
        return found


def transactions(engine: sa.Engine) -> set[object]:
    """Return the transactions that wrote what is stored."""
    with engine.connect() as connection:
        tables = connection.execute(_TABLES).scalars().all()
        writers = " UNION ".join(f"SELECT xmin::text FROM {table}" for table in tables)
        return set(connection.execute(sa.text(writers)).scalars())


def execute(engine: sa.Engine, statement: str, **values: object) -> None:
    """Run one statement."""
    with engine.begin() as connection:
        connection.execute(sa.text(statement), values)


def value(engine: sa.Engine, statement: str, **values: object) -> object:
    """Return the one value that a statement gives."""
    with engine.begin() as connection:
        return connection.execute(sa.text(statement), values).scalar_one()


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """Give the statements that are sent meanwhile, by whomever, as they are sent."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def be_away(engine: sa.Engine, *, seconds: float) -> None:
    """Let it be so long ago that a replica was there."""
    execute(engine, _PASS, seconds=seconds)


def let_leases_run_out(engine: sa.Engine) -> None:
    """Let all live leases be past their time, without waiting for it."""
    with engine.begin() as connection:
        connection.execute(_RUN_OUT)
