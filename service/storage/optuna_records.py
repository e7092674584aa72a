"""Reads trials as Optuna knows them: one statement, however many trials, seen at one moment."""

import json
from collections.abc import Container
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from service.storage import optuna_studies
from service.storage.optuna_checks import decoded
from service.storage.optuna_details import raise_missing

_VALUE = decoded("value")

# Joined by trial, so that each table is read through its index on the trial.
_READ = f"""
    SELECT t.trial_id, t.number, CAST(t.state AS text) AS state, t.datetime_start, t.datetime_complete,
      v.final_values, p.params, i.steps, i.intermediate_values, u.user_attrs, s.system_attrs, p.param_values
    FROM trials t
    CROSS JOIN LATERAL (
      SELECT array_agg({_VALUE} ORDER BY objective) AS final_values
      FROM trial_values WHERE trial_id = t.trial_id
    ) AS v
    CROSS JOIN LATERAL (
      SELECT array_agg(ARRAY[param_name, distribution_json] ORDER BY param_id) AS params,
             array_agg(param_value ORDER BY param_id) AS param_values
      FROM trial_params WHERE trial_id = t.trial_id
    ) AS p
    CROSS JOIN LATERAL (
      SELECT array_agg(step ORDER BY step) AS steps,
             array_agg({decoded("intermediate_value")} ORDER BY step) AS intermediate_values
      FROM trial_intermediate_values WHERE trial_id = t.trial_id
    ) AS i
    CROSS JOIN LATERAL (
      SELECT array_agg(ARRAY[key, value_json] ORDER BY trial_user_attribute_id) AS user_attrs
      FROM trial_user_attributes WHERE trial_id = t.trial_id
    ) AS u
    CROSS JOIN LATERAL (
      SELECT array_agg(ARRAY[key, value_json] ORDER BY trial_system_attribute_id) AS system_attrs
      FROM trial_system_attributes WHERE trial_id = t.trial_id
    ) AS s
"""

_READ_ONE = sa.text(f"{_READ} WHERE t.trial_id = :trial_id")

_STATES = "(CAST(:states AS text[]) IS NULL OR CAST(t.state AS text) = ANY(:states))"

_READ_STUDY = sa.text(f"{_READ} WHERE t.study_id = :study_id AND {_STATES} ORDER BY t.trial_id")

_COUNT = sa.text(f"SELECT count(*) FROM trials t WHERE study_id = :study_id AND {_STATES}")

_ID = sa.text("SELECT trial_id FROM trials WHERE study_id = :study_id AND number = :number")

# A NaN is refused as a value, but others may have written one. The earlier trial is the better of equals.
_BEST = {
    direction: sa.text(f"""
        SELECT trial_id FROM trials JOIN trial_values USING (trial_id)
        WHERE study_id = :study_id AND state = 'COMPLETE' AND objective = 0 AND value IS DISTINCT FROM 'NaN'
        ORDER BY {_VALUE} {order}, trial_id LIMIT 1
    """)
    for direction, order in ((StudyDirection.MINIMIZE, "ASC"), (StudyDirection.MAXIMIZE, "DESC"))
}


def get(connection: sa.Connection, trial_id: int) -> FrozenTrial:
    """Return a trial.

    Raises:
        KeyError: There is no such trial.
    """
    row = connection.execute(_READ_ONE, {"trial_id": trial_id}).one_or_none()
    if row is None:
        raise_missing(trial_id)
    return _frozen(row, {})


def get_all(connection: sa.Connection, study_id: int, states: Container[TrialState] | None) -> list[FrozenTrial]:
    """Return the trials of a study that are in one of `states` (None: in any), oldest first.

    Raises:
        KeyError: There is no such study.
    """
    distributions: dict[str, BaseDistribution] = {}
    values = {"study_id": study_id, "states": _names(states)}
    found = [_frozen(row, distributions) for row in connection.execute(_READ_STUDY, values)]
    if not found:
        optuna_studies.get(connection, study_id)
    return found


def count(connection: sa.Connection, study_id: int, states: Container[TrialState] | None) -> int:
    """Return how many trials of a study are in one of `states` (None: in any).

    Raises:
        KeyError: There is no such study.
    """
    found: int = connection.execute(_COUNT, {"study_id": study_id, "states": _names(states)}).scalar_one()
    if not found:
        optuna_studies.get(connection, study_id)
    return found


def get_id(connection: sa.Connection, study_id: int, number: int) -> int:
    """Return the id of a study's trial.

    Raises:
        KeyError: There is no such study, or it has no trial of that number.
    """
    trial_id: int | None = connection.execute(_ID, {"study_id": study_id, "number": number}).scalar_one_or_none()
    if trial_id is None:
        raise KeyError(f"there is no trial of number {number} in a study of id {study_id}")
    return trial_id


def get_best(connection: sa.Connection, study_id: int) -> FrozenTrial:
    """Return the complete trial with the best value.

    Raises:
        KeyError: There is no such study.
        RuntimeError: The study has several objectives.
        ValueError: No trial is complete.
    """
    directions = optuna_studies.get(connection, study_id).directions
    if len(directions) > 1:
        raise RuntimeError(f"of {len(directions)} objectives none says which trial is best")
    trial_id = connection.execute(_BEST[directions[0]], {"study_id": study_id}).scalar_one_or_none()
    if trial_id is None:
        raise ValueError("no trial is complete")
    return get(connection, trial_id)


def _names(states: Container[TrialState] | None) -> list[str] | None:
    return None if states is None else [state.name for state in TrialState if state in states]


def _frozen(row: sa.Row[Any], distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    params = {}
    for (name, text), stored in zip(row.params or (), row.param_values or (), strict=True):
        # Most trials of a study share them, and parsing is what takes time.
        if text not in distributions:
            distributions[text] = json_to_distribution(text)
        params[name] = (distributions[text], stored)
    return FrozenTrial(
        number=row.number,
        state=TrialState[row.state],
        value=None,
        values=row.final_values,
        datetime_start=_local(row.datetime_start),
        datetime_complete=_local(row.datetime_complete),
        params={name: distribution.to_external_repr(stored) for name, (distribution, stored) in params.items()},
        distributions={name: distribution for name, (distribution, _) in params.items()},
        user_attrs=_attributes(row.user_attrs),
        system_attrs=_attributes(row.system_attrs),
        intermediate_values=dict(zip(row.steps or (), row.intermediate_values or (), strict=True)),
        trial_id=row.trial_id,
    )


def _attributes(pairs: list[tuple[str, str]] | None) -> dict[str, Any]:
    return {key: json.loads(value) for key, value in pairs or ()}


def _local(stored: datetime | None) -> datetime | None:
    """Return a time as Optuna shows it, local without a zone, for one as it is stored, UTC without a zone."""
    return stored and stored.replace(tzinfo=UTC).astimezone().replace(tzinfo=None)
