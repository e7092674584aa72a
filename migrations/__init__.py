"""The schema's history: Alembic, configured in pyproject.toml, stamped in trimtab_alembic_version."""
