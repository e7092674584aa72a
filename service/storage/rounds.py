"""The rounds of a study that goes from coarse to fine: the space of each, as every replica uses it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from trimtab.protocol import Alarm
from trimtab.space import Space


@dataclass(frozen=True)
class Round:
    """A round.

    Args:
        index: From 0.
        space: Flat: as it is searched.
        alarms: What was noticed when its space was settled.
        first_number: Of its trials.
    """

    index: int
    space: Space
    alarms: Sequence[Alarm]
    first_number: int


@dataclass(frozen=True)
class RoundRow(Round):
    """A round that has begun, as it is stored."""

    created_at: datetime


_COLUMNS = 'round AS "index", CAST(space AS text) AS space, alarms, first_number, created_at FROM trimtab_rounds'

_ALL = sa.text(f"SELECT {_COLUMNS} WHERE study_id = :study_id ORDER BY round")

_LAST = sa.text(f"""
    SELECT {_COLUMNS} WHERE study_id = :study_id AND round <= :until ORDER BY round DESC LIMIT 1
""")

_INSERT = sa.text("""
    INSERT INTO trimtab_rounds (study_id, round, space, alarms, first_number)
    VALUES (:study_id, :round, CAST(:space AS json), CAST(:alarms AS json), :first_number)
    ON CONFLICT DO NOTHING
""")


def read(connection: sa.Connection, study_id: int) -> list[RoundRow]:
    """Return the rounds of a study that have begun, in order."""
    return [_round(row) for row in connection.execute(_ALL, {"study_id": study_id})]


def last(connection: sa.Connection, study_id: int, *, until: int) -> RoundRow | None:
    """Return the last round that has begun, of those up to `until`; None if none has."""
    row = connection.execute(_LAST, {"study_id": study_id, "until": until}).one_or_none()
    return _round(row) if row else None


def insert(connection: sa.Connection, study_id: int, begun: Round) -> None:
    """Store a round that begins, in the transaction that creates its first trial and holds its study's row."""
    values = {
        "study_id": study_id,
        "round": begun.index,
        "space": begun.space.model_dump_json(),
        "alarms": json.dumps([alarm.model_dump(mode="json") for alarm in begun.alarms]),
        "first_number": begun.first_number,
    }
    connection.execute(_INSERT, values)


def _round(row: sa.Row[tuple[object, ...]]) -> RoundRow:
    values = row._asdict()
    space = Space.model_validate_json(values.pop("space"))
    alarms = [Alarm.model_validate(alarm) for alarm in values.pop("alarms")]
    return RoundRow(space=space, alarms=alarms, **values)
