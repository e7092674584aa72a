"""Runs the migrations on the connection that service.migrate holds its lock on."""

from alembic import context

from service.tables import metadata

# alembic_version is Optuna's.
VERSION_TABLE = "trimtab_alembic_version"

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
