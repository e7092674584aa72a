"""Runs the migrations on the connection that service.migrate holds its lock on."""

from alembic import context

from service.migrate import VERSION_TABLE
from service.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
