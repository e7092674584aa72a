"""What the role that serves and the role that reads may do: with rows, and with nothing else.

trimtab_owner      migrates: owns the tables, and is the only one to make, alter or drop any
trimtab_service    serves: reads and writes rows
trimtab_reader     reads rows: for people, and for Optuna's own tools
"""

from enum import StrEnum

import sqlalchemy as sa


class Role(StrEnum):
    """A role of the database that owns nothing."""

    SERVICE = "trimtab_service"
    READER = "trimtab_reader"


_READ = frozenset({"SELECT"})
_WRITE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_STAMPS = frozenset({"alembic_version", "trimtab_alembic_version", "version_info"})
_NAMES = {
    "ours": "^trimtab_[a-z_]+$",
    "optunas": [
        *("alembic_version", "version_info"),
        *("studies", "study_directions", "study_system_attributes", "study_user_attributes"),
        *("trials", "trial_heartbeats", "trial_system_attributes", "trial_user_attributes"),
        *("trial_params", "trial_values", "trial_intermediate_values"),
    ],
}
_SECRETS = frozenset({"trimtab_keys", "trimtab_tokens"})

# What else is in the schema is not ours to speak of.
_TABLES = sa.text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND pg_get_userbyid(relowner) = current_user
      AND (relname = ANY(:optunas) OR relname ~ :ours)
    ORDER BY relname
""")
# Of columns that are not numbered by themselves, as Optuna's are.
_SEQUENCES = sa.text("""
    SELECT sequence.relname FROM pg_class AS sequence
    JOIN pg_depend ON objid = sequence.oid AND deptype = 'a'
    JOIN pg_class AS owner ON owner.oid = refobjid
    WHERE sequence.relnamespace = current_schema()::regnamespace AND sequence.relkind = 'S'
      AND (owner.relname = ANY(:optunas) OR owner.relname ~ :ours)
    ORDER BY sequence.relname
""")
_ROLES = sa.text("SELECT rolname FROM pg_roles WHERE rolname = ANY(:roles) AND rolname <> current_user")


def rights(role: Role, table: str) -> frozenset[str]:
    """Return what a role may do with the rows of a table; of one that a later migration makes, too."""
    match role:
        case Role.SERVICE if table == "trimtab_audit":
            return frozenset({"SELECT", "INSERT"})
        case Role.SERVICE:
            return _READ if table in _STAMPS else _WRITE
        case Role.READER:
            return frozenset() if table in _SECRETS else _READ


def grant(connection: sa.Connection) -> None:
    """Give the roles that exist their rights to each table of the current role, and take all others from them."""
    roles = [Role(name) for name in connection.scalars(_ROLES, {"roles": list(Role)})]
    for table in connection.scalars(_TABLES, _NAMES).all() if roles else ():
        for role in roles:
            _set(connection, f"TABLE {table}", role, rights(role, table))
    if Role.SERVICE in roles:
        for sequence in connection.scalars(_SEQUENCES, _NAMES).all():
            _set(connection, f"SEQUENCE {sequence}", Role.SERVICE, frozenset({"USAGE"}))


def _set(connection: sa.Connection, name: str, role: Role, given: frozenset[str]) -> None:
    connection.execute(sa.text(f"REVOKE ALL ON {name} FROM {role}"))
    if given:
        connection.execute(sa.text(f"GRANT {', '.join(sorted(given))} ON {name} TO {role}"))
