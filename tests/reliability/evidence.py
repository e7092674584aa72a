"""Lays a journal beside the tables: what clients were told, as temporary tables that SQL can compare with."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from tests.reliability.journal import Ended, Entry, Leased, Reported, Sent, Suggested

_BATCH = 5_000

_COLUMNS: Mapping[type[Entry], tuple[str, str]] = {
    Leased: (
        "journal_leased",
        "lease bigint, fence int, study text, trial int, attempt int, worker text, params jsonb",
    ),
    Sent: ("journal_sent", "lease bigint, step int, metrics jsonb"),
    Reported: ("told_reports", "lease bigint, step int, metrics jsonb, verdict text, recorded boolean"),
    Suggested: ("told_suggestions", "lease bigint, name text, value jsonb"),
    Ended: ("told_ends", "lease bigint, outcome text, state text, metrics jsonb"),
}
"""For each kind of entry its table and its fields."""

_NAMED = """
    CREATE INDEX ON journal_leased (lease); CREATE INDEX ON journal_sent (lease, step);
    ANALYZE journal_leased; ANALYZE journal_sent; ANALYZE told_reports; ANALYZE told_suggestions;
    ANALYZE told_ends;
    CREATE TEMPORARY VIEW journal_reported AS
      SELECT l.study, l.trial, r.* FROM told_reports r LEFT JOIN journal_leased l USING (lease);
    CREATE TEMPORARY VIEW journal_suggested AS
      SELECT l.study, l.trial, s.* FROM told_suggestions s LEFT JOIN journal_leased l USING (lease);
    CREATE TEMPORARY VIEW journal_told AS
      SELECT l.study, l.trial, e.* FROM told_ends e LEFT JOIN journal_leased l USING (lease);
"""


def lay_out(connection: sa.Connection, journal: Iterable[Entry]) -> None:
    """Make the temporary tables and fill them; they go with the transaction."""
    for table, columns in _COLUMNS.values():
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE {table} ({columns})"))
    waiting: dict[type[Entry], list[Mapping[str, Any]]] = {kind: [] for kind in _COLUMNS}
    for entry in journal:
        rows = waiting.get(type(entry), [])
        rows.append(asdict(entry))
        if len(rows) == _BATCH:
            _insert(connection, type(entry), rows)
            rows.clear()
    for kind, rows in waiting.items():
        _insert(connection, kind, rows)
    connection.execute(sa.text(_NAMED))


def _insert(connection: sa.Connection, kind: type[Entry], rows: list[Mapping[str, Any]]) -> None:
    # In one statement: a round trip for each of a hundred thousand entries takes minutes.
    table, columns = _COLUMNS[kind]
    statement = f"INSERT INTO {table} SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given ({columns})"
    connection.execute(sa.text(statement), {"rows": json.dumps(rows)})
