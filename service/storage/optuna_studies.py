"""Studies as Optuna knows them, in Optuna's tables."""

import json
from collections.abc import Sequence
from typing import Any, Literal, NoReturn

import sqlalchemy as sa
from optuna.exceptions import DuplicatedStudyError
from optuna.study import StudyDirection
from optuna.study._frozen import FrozenStudy

from service.storage import deletions
from service.storage.optuna_checks import name as checked_name

Kind = Literal["user", "system"]
"""Whose attributes: those of Optuna's users, or Optuna's own."""

_CREATE = sa.text("""
    WITH study AS (
      INSERT INTO studies (study_name) VALUES (:name)
      ON CONFLICT (study_name) DO NOTHING
      RETURNING study_id
    ), directed AS (
      INSERT INTO study_directions (study_id, objective, direction)
      SELECT study_id, o.position - 1, CAST(o.direction AS studydirection)
      FROM study, unnest(CAST(:directions AS text[])) WITH ORDINALITY AS o (direction, position)
    )
    SELECT study_id FROM study
""")

_DELETE = sa.text("DELETE FROM studies WHERE study_id = :study_id")

_ID = sa.text("SELECT study_id FROM studies WHERE study_name = :name")

_READ = """
    SELECT s.study_id, s.study_name,
      ARRAY(SELECT CAST(direction AS text) FROM study_directions d
            WHERE d.study_id = s.study_id ORDER BY objective) AS directions,
      ARRAY(SELECT ARRAY[key, value_json] FROM study_user_attributes a
            WHERE a.study_id = s.study_id ORDER BY study_user_attribute_id) AS user_attrs,
      ARRAY(SELECT ARRAY[key, value_json] FROM study_system_attributes a
            WHERE a.study_id = s.study_id ORDER BY study_system_attribute_id) AS system_attrs
    FROM studies s
"""

_READ_ALL = sa.text(f"{_READ} ORDER BY s.study_id")

_READ_ONE = sa.text(f"{_READ} WHERE s.study_id = :study_id")

# The lock keeps the study from being deleted until the attribute is there.
_SET_ATTRIBUTE = {
    kind: sa.text(f"""
        INSERT INTO study_{kind}_attributes (study_id, key, value_json)
        SELECT study_id, :key, :value FROM studies WHERE study_id = :study_id FOR KEY SHARE
        ON CONFLICT (study_id, key) DO UPDATE SET value_json = excluded.value_json
    """)
    for kind in ("user", "system")
}


def create(connection: sa.Connection, name: str, directions: Sequence[StudyDirection]) -> int:
    """Create a study and return its id.

    Raises:
        DuplicatedStudyError: There is one of that name.
        ValueError: The name cannot be stored.
    """
    values = {"name": checked_name(name, "study name"), "directions": [direction.name for direction in directions]}
    study_id: int | None = connection.execute(_CREATE, values).scalar_one_or_none()
    if study_id is None:
        raise DuplicatedStudyError(f"there is a study called {name!r}")
    return study_id


def delete(connection: sa.Connection, study_id: int) -> None:
    """Delete a study and all that belongs to it.

    Raises:
        KeyError: There is no such study.
    """
    # One of the service's must leave tombstones, by which its workers learn of it.
    if deletions.delete(connection, get(connection, study_id).study_name):
        return
    if connection.execute(_DELETE, {"study_id": study_id}).rowcount == 0:
        raise_missing(study_id)


def find_id(connection: sa.Connection, name: str) -> int:
    """Return the id of the study called `name`.

    Raises:
        KeyError: There is none.
        ValueError: No study can have that name.
    """
    study_id: int | None = connection.execute(_ID, {"name": checked_name(name, "study name")}).scalar_one_or_none()
    if study_id is None:
        raise KeyError(f"there is no study called {name!r}")
    return study_id


def get(connection: sa.Connection, study_id: int) -> FrozenStudy:
    """Return a study.

    Raises:
        KeyError: There is no such study.
    """
    row = connection.execute(_READ_ONE, {"study_id": study_id}).one_or_none()
    if row is None:
        raise_missing(study_id)
    return _frozen(row)


def get_all(connection: sa.Connection) -> list[FrozenStudy]:
    """Return all studies, oldest first."""
    return [_frozen(row) for row in connection.execute(_READ_ALL)]


def set_attribute(connection: sa.Connection, study_id: int, kind: Kind, key: str, value: object) -> None:
    """Set an attribute of a study, in place of an older one.

    Raises:
        KeyError: There is no such study.
        TypeError: JSON has no word for the value.
        ValueError: The key cannot be stored.
    """
    values = {"study_id": study_id, "key": checked_name(key, "attribute key"), "value": json.dumps(value)}
    if connection.execute(_SET_ATTRIBUTE[kind], values).rowcount == 0:
        raise_missing(study_id)


def raise_missing(study_id: int) -> NoReturn:
    """Say that there is no such study.

    Raises:
        KeyError: Always.
    """
    raise KeyError(f"there is no study of id {study_id}")


def _frozen(row: sa.Row[Any]) -> FrozenStudy:
    return FrozenStudy(
        study_name=row.study_name,
        direction=None,
        directions=[StudyDirection[direction] for direction in row.directions],
        user_attrs={key: json.loads(value) for key, value in row.user_attrs},
        system_attrs={key: json.loads(value) for key, value in row.system_attrs},
        study_id=row.study_id,
    )
