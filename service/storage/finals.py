"""Final models in the database: readings of test sets, what is to follow a confirmation, which trial is whose again.

Within a transaction that has locked the study whose final model it is, but for `due` and what only reads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from trimtab.states import Purpose

ORIGINAL = "trimtab:original"
"""Optuna's attribute of a trial that trains another one's point again: the other one's number."""


@dataclass(frozen=True)
class WantedFinal:
    """A final model that is to follow a confirmation.

    Args:
        token_id: Who asked for it; None: the operator.
        reason: Given with an override of the lock; None: it is none.
    """

    token_id: int | None
    reason: str | None


@dataclass(frozen=True)
class DueFinal:
    """A confirmation that is complete, and the study that it confirms, which a final model is to be made of."""

    study: str
    confirmation: str
    confirmation_id: int


# The index is the lock: of two that come at once, the second one waits and finds the first one's row.
_READ = sa.text("""
    INSERT INTO trimtab_test_reads (study_id, token_id, final_study, is_override, reason)
    VALUES (:study_id, :token_id, :final_study, :is_override, :reason)
    ON CONFLICT (study_id) WHERE NOT is_override DO NOTHING
""")

_NEWEST = sa.text("""
    SELECT study_name FROM trimtab_studies JOIN studies USING (study_id)
    WHERE parent_id = :study_id AND purpose = :purpose ORDER BY study_id DESC LIMIT 1
""")

_NEWEST_WITH_MODEL = sa.text("""
    SELECT study_name FROM trimtab_studies JOIN studies USING (study_id) JOIN trimtab_models USING (study_id)
    WHERE parent_id = :study_id
      AND EXISTS (SELECT FROM trials t WHERE t.study_id = trimtab_studies.study_id AND t.state = 'COMPLETE')
    ORDER BY study_id DESC LIMIT 1
""")

# Of a study one is wanted at a time: what became of the one before is no longer told.
_WANT = sa.text("""
    INSERT INTO trimtab_wanted_finals (study_id, confirmation_id, token_id, reason)
    VALUES (:study_id, :confirmation_id, :token_id, :reason)
    ON CONFLICT (study_id) DO UPDATE SET confirmation_id = excluded.confirmation_id, token_id = excluded.token_id,
      reason = excluded.reason, refusal = NULL, at = excluded.at
""")

# One that is stopped is so for as long as it is: resumed, it is followed again.
_REFUSAL = sa.text("""
    SELECT CASE
      WHEN refusal IS NOT NULL THEN refusal
      WHEN confirmation_id IS NULL THEN 'its confirmation was deleted before a model was made of it'
      WHEN s.state = 'stopped' THEN 'its confirmation was stopped before a model was made of it' END
    FROM trimtab_wanted_finals w LEFT JOIN trimtab_studies s ON s.study_id = confirmation_id
    WHERE w.study_id = :study_id
""")

_IS_WANTED = sa.text("""
    SELECT EXISTS (
      SELECT FROM trimtab_wanted_finals w JOIN trimtab_studies s ON s.study_id = confirmation_id
      WHERE w.study_id = :study_id AND s.state <> 'stopped' AND refusal IS NULL)
""")

_TAKE = sa.text("""
    DELETE FROM trimtab_wanted_finals WHERE confirmation_id = :confirmation_id AND refusal IS NULL
    RETURNING token_id, reason
""")

_REFUSE = sa.text("""
    UPDATE trimtab_wanted_finals SET refusal = :refusal WHERE confirmation_id = :confirmation_id AND refusal IS NULL
""")

_FORGET = sa.text("DELETE FROM trimtab_wanted_finals WHERE study_id = :study_id")

# Each second, in each replica: there is a row only while a confirmation runs that a final model comes after.
_DUE = sa.text("""
    SELECT p.study_name, o.study_name, confirmation_id
    FROM trimtab_wanted_finals w
    JOIN trimtab_studies s ON s.study_id = confirmation_id
    JOIN studies o ON o.study_id = confirmation_id
    JOIN studies p ON p.study_id = w.study_id
    WHERE s.state = 'complete' AND refusal IS NULL
    ORDER BY confirmation_id
""")

_NOTE_ORIGINALS = sa.text("""
    INSERT INTO trial_system_attributes (trial_id, key, value_json)
    SELECT t.trial_id, :key, CAST(o.original AS text)
    FROM unnest(CAST(:originals AS int[])) WITH ORDINALITY AS o (original, position)
    JOIN trimtab_trials t ON t.study_id = :study_id AND t.number = o.position - 1
""")

_ORIGINALS = sa.text("""
    SELECT number, CAST(value_json AS int) AS original
    FROM trimtab_trials JOIN trial_system_attributes USING (trial_id)
    WHERE study_id = :study_id AND key = :key
""")


def read(connection: sa.Connection, study_id: int, *, by: str, asked: WantedFinal, is_override: bool) -> None:
    """Record that the test set of a study is to be read by another study.

    The first reading is no override, whatever the reason.
    """
    values = {"study_id": study_id, "final_study": by, "is_override": is_override, **vars(asked)}
    is_recorded = connection.execute(_READ, values).rowcount == 1
    assert is_recorded, "whoever asks looks at the lock before"


def newest(connection: sa.Connection, study_id: int, purpose: Purpose) -> str | None:
    """Return the name of the newest study of a purpose that follows a study; None if none does."""
    name: str | None = connection.execute(_NEWEST, {"study_id": study_id, "purpose": purpose}).scalar_one_or_none()
    return name


def newest_with_model(connection: sa.Connection, study_id: int) -> str | None:
    """Return the name of the newest final model of a study that is complete; None if none is."""
    name: str | None = connection.execute(_NEWEST_WITH_MODEL, {"study_id": study_id}).scalar_one_or_none()
    return name


def want(connection: sa.Connection, study_id: int, confirmation_id: int, wanted: WantedFinal) -> None:
    """Let the final model of a study follow its confirmation when that is complete."""
    connection.execute(_WANT, {"study_id": study_id, "confirmation_id": confirmation_id, **vars(wanted)})


def is_wanted(connection: sa.Connection, study_id: int) -> bool:
    """Return whether a final model of a study is to follow its confirmation."""
    return bool(connection.execute(_IS_WANTED, {"study_id": study_id}).scalar_one())


def refusal(connection: sa.Connection, study_id: int) -> str | None:
    """Return why the final model of a study that was wanted last was not made; None if it was, or is to come."""
    reason: str | None = connection.execute(_REFUSAL, {"study_id": study_id}).scalar_one_or_none()
    return reason


def refuse(connection: sa.Connection, confirmation_id: int, reason: str) -> None:
    """Let no final model follow a confirmation, for a reason."""
    connection.execute(_REFUSE, {"confirmation_id": confirmation_id, "refusal": reason})


def forget(connection: sa.Connection, study_id: int) -> None:
    """Forget why the final model of a study that was wanted last was not made."""
    connection.execute(_FORGET, {"study_id": study_id})


def take(connection: sa.Connection, confirmation_id: int) -> WantedFinal | None:
    """Return the final model that is to follow a confirmation, and forget that; None if none is, or any more."""
    row = connection.execute(_TAKE, {"confirmation_id": confirmation_id}).one_or_none()
    return WantedFinal(*row) if row else None


def due(connection: sa.Connection) -> list[DueFinal]:
    """Return the confirmations that are complete and that a final model is to follow."""
    return [DueFinal(*row) for row in connection.execute(_DUE)]


def note_originals(connection: sa.Connection, study_id: int, originals: Sequence[int]) -> None:
    """Note of each trial of a study which trial of its parent it trains again."""
    connection.execute(_NOTE_ORIGINALS, {"study_id": study_id, "key": ORIGINAL, "originals": list(originals)})


def originals(connection: sa.Connection, study_id: int) -> Mapping[int, int]:
    """Return of each trial of a study, by number, which trial of its parent it trains again."""
    rows = connection.execute(_ORIGINALS, {"study_id": study_id, "key": ORIGINAL})
    return {row.number: row.original for row in rows}
