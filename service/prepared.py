"""Statements that PostgreSQL plans once a connection and not each time: those of the hot paths.

Planning is half of what the statement of a report costs (benchmarks/LOG.md).
"""

import re

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

_PARAMETER = re.compile(r"(?<![:%]):([a-z_]+)")

_statements: dict[str, str] = {}


def prepared(name: str, sql: str) -> sa.TextClause:
    """Return a statement that executes `sql`, with its `:parameters`, by the plan of the connection.

    A parameter in the list of a SELECT needs a CAST: nothing else says its type.
    """
    parameters = list(dict.fromkeys(_PARAMETER.findall(sql)))
    _statements[f"trimtab_{name}"] = _PARAMETER.sub(lambda found: f"${parameters.index(found[1]) + 1}", sql)
    arguments = ", ".join(f":{parameter}" for parameter in parameters)
    return sa.text(f"EXECUTE trimtab_{name} ({arguments})")


def prepare(connection: DBAPIConnection) -> None:
    """Plan every such statement on a new connection. The schema must be there."""
    cursor = connection.cursor()
    for name, sql in _statements.items():
        cursor.execute(f"PREPARE {name} AS {sql}")
    cursor.close()
    connection.commit()
