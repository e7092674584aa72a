"""What a running trial asks for, in the database: what its value is chosen on, and the writes.

Each write names the lease, its fence and its expiry in its WHERE, as a report does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.prepared import prepared
from service.storage.dimensions import Dimension
from service.storage.finished import POINT, OpenTrial
from service.storage.leases import LIVE, RENEWED, Reference
from trimtab.message import Scalar
from trimtab.space import Space
from trimtab.states import Origin

GIVEN = "fixed_params"
"""Optuna's name of the values that somebody gave a trial that is to be trained: plain JSON, by name."""

MAX_ATTRIBUTES_BYTES = 2**18
"""Of the attributes of one trial, as JSON: a page may hold a thousand trials."""


@dataclass(frozen=True)
class Standing:
    """What a suggestion is chosen on.

    Args:
        revision: Of the study's space.
        ended: Trials of the study that have ended.
        origin: Who chooses its values.
        stored: The value that the trial has, as a number; None: none yet.
        given: Values that somebody gave the trial, by name.
        unfinished: The other trials that run or wait.
    """

    study_id: int
    number: int
    revision: int
    ended: int
    origin: Origin
    stored: float | None
    given: Mapping[str, Scalar]
    unfinished: Sequence[OpenTrial]


@dataclass(frozen=True)
class Value:
    """A parameter of a trial as it is stored.

    Args:
        dimension: With the range that was asked for.
        stored: The value.
        fallback: Why it is a random one, where the sampler gave none.
    """

    dimension: Dimension
    stored: float
    fallback: str | None = None


_STANDING = prepared(
    "standing",
    f"""
    SELECT o.study_id, o.number, s.revision, s.finished AS ended, o.origin,
      (SELECT param_value FROM trial_params p WHERE p.trial_id = o.trial_id AND param_name = :name) AS stored,
      coalesce((SELECT CAST(value_json AS json) FROM trial_system_attributes a
        WHERE a.trial_id = o.trial_id AND key = '{GIVEN}'), '{{}}') AS given,
      coalesce((SELECT json_agg(json_build_array(t.number, coalesce({POINT}, '{{}}')) ORDER BY t.number)
        FROM trials t WHERE t.study_id = o.study_id AND t.state IN ('RUNNING', 'WAITING')
          AND t.trial_id <> o.trial_id), '[]') AS unfinished
    FROM trimtab_leases l JOIN trimtab_trials o USING (trial_id) JOIN trimtab_studies s ON s.study_id = o.study_id
    WHERE lease_id = :lease_id
""",
)

# Nothing is written where another call has given the trial a value of that name meanwhile.
_TAKE = prepared(
    "take",
    f"""
    WITH lease AS (
      UPDATE trimtab_leases SET {RENEWED} WHERE {LIVE} RETURNING trial_id
    ), param AS (
      INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
      SELECT trial_id, CAST(:name AS text), CAST(:stored AS float8), CAST(:distribution AS text) FROM lease
      ON CONFLICT (trial_id, param_name) DO NOTHING
      RETURNING trial_id
    ), marked AS (
      UPDATE trimtab_trials t SET fallback = coalesce(t.fallback, CAST(:fallback AS text)) FROM param
      WHERE t.trial_id = param.trial_id AND CAST(:fallback AS text) IS NOT NULL
    )
    SELECT count(*) FROM param
""",
)

_LOCK_SPACE = sa.text("""
    SELECT CAST(space AS text) FROM trimtab_studies WHERE study_id = :study_id FOR NO KEY UPDATE
""")

_GROW = sa.text("""
    UPDATE trimtab_studies SET space = CAST(:space AS json), revision = revision + 1 WHERE study_id = :study_id
""")

# What another call of the lease has kept meanwhile is seen by the statement after the one that waits for it, not by
# that one itself.
_LOCK_LEASE = sa.text(f"SELECT FROM trimtab_leases WHERE {LIVE} FOR NO KEY UPDATE")

_KEEP_ATTRIBUTE = sa.text(f"""
    WITH lease AS (
      UPDATE trimtab_leases SET {RENEWED} WHERE {LIVE}
        AND octet_length(:value) + (
          SELECT coalesce(sum(octet_length(value_json)), 0) FROM trial_user_attributes a
          WHERE a.trial_id = trimtab_leases.trial_id AND key <> :key) <= {MAX_ATTRIBUTES_BYTES}
      RETURNING trial_id
    )
    INSERT INTO trial_user_attributes (trial_id, key, value_json)
    SELECT trial_id, CAST(:key AS text), CAST(:value AS text) FROM lease
    ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
    RETURNING trial_id
""")


def standing(connection: sa.Connection, lease_id: int, name: str) -> Standing | None:
    """Return what a value for the trial of a lease is chosen on; None if there is no such lease.

    Args:
        connection: To read on.
        lease_id: Of the lease.
        name: Of the parameter, as it is stored.
    """
    row = connection.execute(_STANDING, {"lease_id": lease_id, "name": name}).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    unfinished = [OpenTrial(number, point) for number, point in values.pop("unfinished")]
    return Standing(origin=Origin(values.pop("origin")), unfinished=unfinished, **values)


def take(connection: sa.Connection, lease: Reference, value: Value, *, lease_seconds: float) -> bool:
    """Store a value and renew the lease; return False, with nothing stored, if it is not live or the trial has one."""
    values = {
        **vars(lease),
        "lease_seconds": lease_seconds,
        "name": value.dimension.stored_name,
        "stored": value.stored,
        "distribution": value.dimension.distribution_json,
        "fallback": value.fallback,
    }
    return bool(connection.execute(_TAKE, values).scalar_one())


def lock_space(connection: sa.Connection, study_id: int) -> Space | None:
    """Lock a study; return its space as it is now, None if that is as in its spec."""
    space: str | None = connection.execute(_LOCK_SPACE, {"study_id": study_id}).scalar_one_or_none()
    return Space.model_validate_json(space) if space else None


def grow(connection: sa.Connection, study_id: int, space: Space) -> None:
    """Give a study that this transaction has locked a larger space."""
    connection.execute(_GROW, {"study_id": study_id, "space": space.model_dump_json(exclude_none=True)})


def keep_attribute(connection: sa.Connection, lease: Reference, key: str, value: Any, *, lease_seconds: float) -> bool:
    """Store an attribute of the trial, in place of the one of that key, and renew the lease. In a transaction.

    Returns:
        False, with nothing stored, if the lease is not live, or the attributes of the trial would be too large.
    """
    values = {**vars(lease), "lease_seconds": lease_seconds, "key": key, "value": json.dumps(value, ensure_ascii=False)}
    connection.execute(_LOCK_LEASE, vars(lease))
    return connection.execute(_KEEP_ATTRIBUTE, values).one_or_none() is not None
