"""Which schemas the database has: ours and Optuna's, as migrations left them."""

import sqlalchemy as sa

_STAMPS = sa.text("""
    SELECT (SELECT version_num FROM trimtab_alembic_version) AS ours,
      (SELECT version_num FROM alembic_version) AS optunas
""")


def stamps(connection: sa.Connection) -> tuple[str, str]:
    """Return the versions of our schema and of Optuna's."""
    ours, optunas = connection.execute(_STAMPS).one()
    return ours, optunas
