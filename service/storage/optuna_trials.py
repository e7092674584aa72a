"""Creates trials as Optuna knows them, and moves them on.

Rows are locked in one order: the study, then the trial.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from optuna.trial import FrozenTrial, TrialState

from service.storage import optuna_details as details
from service.storage import optuna_params
from service.storage.optuna_details import OPEN
from service.storage.optuna_params import Param
from service.storage.optuna_studies import raise_missing as raise_study_missing

_NOW = "clock_timestamp() AT TIME ZONE 'UTC'"

# Numbers are given by one at a time, and so is a new name's first distribution chosen.
_LOCK_STUDY = sa.text("SELECT study_id FROM studies WHERE study_id = :study_id FOR NO KEY UPDATE")

_LOCK_STUDY_OF = sa.text("""
    SELECT study_id FROM studies WHERE study_id = (SELECT study_id FROM trials WHERE trial_id = :trial_id)
    FOR NO KEY UPDATE
""")

# A statement of its own after the lock: so it sees the trial of whoever had the lock before.
_CREATE = sa.text(f"""
    INSERT INTO trials (study_id, number, state, datetime_start, datetime_complete)
    SELECT :study_id, coalesce(max(number) + 1, 0), 'RUNNING',
      CASE WHEN :starts_now THEN {_NOW} ELSE CAST(:datetime_start AS timestamp) END,
      CAST(:datetime_complete AS timestamp)
    FROM trials WHERE study_id = :study_id
    RETURNING trial_id
""")

_SET_STATE = sa.text("UPDATE trials SET state = CAST(:state AS trialstate) WHERE trial_id = :trial_id")

_MOVE_ON = sa.text(f"""
    UPDATE trials SET
      state = CAST(:state AS trialstate),
      datetime_start = CASE WHEN :state = 'RUNNING' THEN {_NOW} ELSE datetime_start END,
      datetime_complete = CASE WHEN :is_finished THEN {_NOW} ELSE datetime_complete END
    WHERE trial_id = :trial_id AND {OPEN} AND NOT (state = 'RUNNING' AND :state = 'RUNNING')
""")


def create(connection: sa.Connection, study_id: int, template: FrozenTrial | None) -> int:
    """Create a trial with the next number of its study, like `template` or else running; return its id.

    Raises:
        KeyError: There is no such study.
        TypeError: JSON has no word for an attribute.
        ValueError: Something cannot be stored, or a parameter was drawn from another kind of distribution before.
    """
    if connection.execute(_LOCK_STUDY, {"study_id": study_id}).one_or_none() is None:
        raise_study_missing(study_id)
    values = {
        "study_id": study_id,
        "starts_now": template is None,
        "datetime_start": _utc(template.datetime_start if template else None),
        "datetime_complete": _utc(template.datetime_complete if template else None),
    }
    trial_id: int = connection.execute(_CREATE, values).scalar_one()
    if template:
        _fill(connection, study_id, trial_id, template)
    return trial_id


def set_param(connection: sa.Connection, trial_id: int, name: str, param: Param) -> None:
    """Set a parameter of a trial. The same again changes nothing.

    Raises:
        KeyError: There is no such trial.
        UpdateFinishedTrialError: The trial is finished.
        ValueError: It cannot be stored, has another value already, or was drawn from another kind of distribution
            before.
    """
    study_id = connection.execute(_LOCK_STUDY_OF, {"trial_id": trial_id}).scalar_one_or_none()
    if study_id is None:
        details.raise_missing(trial_id)
    details.require_open(connection, trial_id)
    optuna_params.set_all(connection, study_id, trial_id, {name: param})


def set_state(connection: sa.Connection, trial_id: int, state: TrialState, values: Sequence[float] | None) -> bool:
    """Move a trial on to `state`, with its values if there are any; return False if it runs already, and is to.

    Raises:
        KeyError: There is no such trial.
        UpdateFinishedTrialError: The trial is finished.
        ValueError: A value is not a number.
    """
    change = {"trial_id": trial_id, "state": state.name, "is_finished": state.is_finished()}
    if connection.execute(_MOVE_ON, change).rowcount == 0:
        details.require_open(connection, trial_id)
        return False
    if values is not None:
        details.set_values(connection, trial_id, values)
    return True


def _fill(connection: sa.Connection, study_id: int, trial_id: int, template: FrozenTrial) -> None:
    params = {
        name: (distribution.to_internal_repr(template.params[name]), distribution)
        for name, distribution in template.distributions.items()
    }
    optuna_params.set_all(connection, study_id, trial_id, params)
    details.set_attributes(connection, trial_id, "user", template.user_attrs)
    details.set_attributes(connection, trial_id, "system", template.system_attrs)
    details.set_intermediate_values(connection, trial_id, template.intermediate_values)
    details.set_values(connection, trial_id, template.values or ())
    # Last, since a finished trial takes nothing more.
    connection.execute(_SET_STATE, {"trial_id": trial_id, "state": template.state.name})


def _utc(local: datetime | None) -> datetime | None:
    """Return a time as it is stored, UTC without a zone, for one as Optuna shows it, local without a zone."""
    return local and local.astimezone(UTC).replace(tzinfo=None)
