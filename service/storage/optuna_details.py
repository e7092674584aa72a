"""What a trial holds: values and attributes. Each write says itself that the trial is not finished."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

import sqlalchemy as sa
from optuna.exceptions import UpdateFinishedTrialError

from service.storage import optuna_checks as checks
from service.storage.optuna_studies import Kind

OPEN = "state IN ('RUNNING', 'WAITING')"
"""The SQL of: not finished."""

OPEN_TRIAL = f"WHERE trial_id = :trial_id AND {OPEN} FOR SHARE OF t"
"""The guard of a write: it waits for whoever is finishing the trial, and whoever finishes it waits for it."""

_SET_INTERMEDIATE_VALUES = sa.text(f"""
    INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
    SELECT trial_id, r.step, r.value, CAST(r.kind AS trialintermediatevaluetype)
    FROM trials t,
      unnest(CAST(:steps AS int[]), CAST(:values AS float8[]), CAST(:kinds AS text[])) AS r (step, value, kind)
    {OPEN_TRIAL}
    ON CONFLICT (trial_id, step) DO UPDATE SET
      intermediate_value = excluded.intermediate_value, intermediate_value_type = excluded.intermediate_value_type
""")

_SET_ATTRIBUTES = {
    kind: sa.text(f"""
        INSERT INTO trial_{kind}_attributes (trial_id, key, value_json)
        SELECT trial_id, a.key, a.value
        FROM trials t, unnest(CAST(:keys AS text[]), CAST(:values AS text[])) AS a (key, value)
        {OPEN_TRIAL}
        ON CONFLICT (trial_id, key) DO UPDATE SET value_json = excluded.value_json
    """)
    for kind in ("user", "system")
}

_FORGET_VALUES = sa.text("DELETE FROM trial_values WHERE trial_id = :trial_id")

_SET_VALUES = sa.text("""
    INSERT INTO trial_values (trial_id, objective, value, value_type)
    SELECT :trial_id, v.position - 1, v.value, CAST(v.kind AS trialvaluetype)
    FROM unnest(CAST(:values AS float8[]), CAST(:kinds AS text[])) WITH ORDINALITY AS v (value, kind, position)
""")

_STATE = sa.text(f"SELECT number, {OPEN} AS is_open FROM trials WHERE trial_id = :trial_id")


def set_intermediate_values(connection: sa.Connection, trial_id: int, reported: Mapping[int, float]) -> None:
    """Set values by step, in place of older ones of these steps.

    Raises:
        KeyError: There is no such trial.
        UpdateFinishedTrialError: The trial is finished.
        ValueError: A step is out of range.
    """
    steps = [checks.step(step) for step in reported]
    values = {"trial_id": trial_id, "steps": steps} | _encoded(reported.values())
    if connection.execute(_SET_INTERMEDIATE_VALUES, values).rowcount < len(reported):
        require_open(connection, trial_id)


def set_attributes(connection: sa.Connection, trial_id: int, kind: Kind, attributes: Mapping[str, object]) -> None:
    """Set attributes of a trial, in place of older ones.

    Raises:
        KeyError: There is no such trial.
        UpdateFinishedTrialError: The trial is finished.
        TypeError: JSON has no word for a value.
        ValueError: A key cannot be stored.
    """
    values = {
        "trial_id": trial_id,
        "keys": [checks.name(key, "attribute key") for key in attributes],
        "values": [json.dumps(value) for value in attributes.values()],
    }
    if connection.execute(_SET_ATTRIBUTES[kind], values).rowcount < len(attributes):
        require_open(connection, trial_id)


def set_values(connection: sa.Connection, trial_id: int, values: Sequence[float]) -> None:
    """Set the values of the objectives of a trial that is locked, in place of older ones.

    Raises:
        ValueError: One is not a number.
    """
    encoded = _encoded([checks.final_value(value) for value in values])
    connection.execute(_FORGET_VALUES, {"trial_id": trial_id})
    connection.execute(_SET_VALUES, {"trial_id": trial_id} | encoded)


def require_open(connection: sa.Connection, trial_id: int) -> None:
    """Return if the trial runs or waits.

    Raises:
        KeyError: There is no such trial.
        UpdateFinishedTrialError: The trial is finished.
    """
    row = connection.execute(_STATE, {"trial_id": trial_id}).one_or_none()
    if row is None:
        raise_missing(trial_id)
    if not row.is_open:
        raise UpdateFinishedTrialError(f"trial {row.number} is finished and does not change any more")


def raise_missing(trial_id: int) -> NoReturn:
    """Say that there is no such trial.

    Raises:
        KeyError: Always.
    """
    raise KeyError(f"there is no trial of id {trial_id}")


def _encoded(values: Iterable[float]) -> dict[str, list[object]]:
    encoded = [checks.encoded(value) for value in values]
    return {"values": [value for value, _ in encoded], "kinds": [kind for _, kind in encoded]}
