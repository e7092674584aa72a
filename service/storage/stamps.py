"""Which schemas the database has, ours and Optuna's, as migrations left them; and which PostgreSQL it is."""

import sqlalchemy as sa

_STAMPS = sa.text("""
    SELECT (SELECT version_num FROM trimtab_alembic_version) AS ours,
      (SELECT version_num FROM alembic_version) AS optunas,
      current_setting('server_version') AS postgresql
""")


def stamps(connection: sa.Connection) -> tuple[str, str, str]:
    """Return the versions of our schema, of Optuna's, and of PostgreSQL."""
    ours, optunas, postgresql = connection.execute(_STAMPS).one()
    return ours, optunas, postgresql
