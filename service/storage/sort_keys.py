"""Reads by what trials are sorted: one figure of each trial of a study."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from trimtab.states import TrialState


class By(StrEnum):
    """What trials are sorted by, beside their numbers.

    state      where they are in their lives
    duration   seconds from their beginning to their end, or until now
    value      of an objective
    param      as it is stored
    """

    STATE = "state"
    DURATION = "duration"
    VALUE = "value"
    PARAM = "param"


@dataclass(frozen=True)
class SortKey:
    """One thing that trials are sorted by.

    Args:
        by: Which kind.
        objective: Of a value: its position, from 0.
        param: Of a parameter: its stored name.
    """

    by: By
    objective: int = 0
    param: str = ""


@dataclass(frozen=True)
class Figures:
    """One figure of each of N trials of a study.

    Args:
        known: Trials of the study that had ended when this was read, as far as any of these had.
        numbers_N: Of the trials.
        states_N: Their positions in the order of the states, from 0.
        figures_N: NaN where a trial has none.
    """

    known: int
    numbers_N: npt.NDArray[np.int32]
    states_N: npt.NDArray[np.int16]
    figures_N: npt.NDArray[np.float64]


_STATE = "array_position(ARRAY[{}], CAST(t.state AS text)) - 1".format(
    ", ".join(f"'{state.upper()}'" for state in TrialState)
)

_FIGURES = {
    By.STATE: _STATE,
    By.DURATION: "extract(epoch FROM"
    " coalesce(t.datetime_complete, clock_timestamp() AT TIME ZONE 'UTC') - t.datetime_start)",
    By.VALUE: "(SELECT value FROM trial_values v WHERE v.trial_id = o.trial_id AND v.objective = :objective)",
    By.PARAM: "(SELECT param_value FROM trial_params p WHERE p.trial_id = o.trial_id AND p.param_name = :param)",
}

# As bytes: a hundred thousand rows are made into arrays at once, not one by one.
_TRIALS = f"""
    SELECT coalesce(max(o.finish_order), 0), string_agg(int4send(o.number), ''),
      string_agg(int2send(CAST({_STATE} AS int2)), ''),
      string_agg(float8send(coalesce(CAST({{figure}} AS float8), 'NaN')), '')
    FROM trimtab_trials o JOIN trials t USING (trial_id)
"""

_ENDED = f"{_TRIALS} WHERE o.study_id = :study_id AND o.finish_order > :known"

_OPEN = f"{_TRIALS} WHERE t.study_id = :study_id AND t.state IN ('RUNNING', 'WAITING')"


def ended(connection: sa.Connection, study_id: int, key: SortKey, *, known: int) -> Figures:
    """Return those of the trials that ended after the first `known` ones; they never change."""
    return _read(connection, _ENDED, study_id, key, known=known)


def unfinished(connection: sa.Connection, study_id: int, key: SortKey) -> Figures:
    """Return those of the trials that run or wait."""
    return _read(connection, _OPEN, study_id, key)


def _read(connection: sa.Connection, statement: str, study_id: int, key: SortKey, **values: object) -> Figures:
    asked = {"study_id": study_id, "objective": key.objective, "param": key.param, **values}
    known, *columns = connection.execute(sa.text(statement.format(figure=_FIGURES[key.by])), asked).one()
    numbers, states, figures = (bytes(column or b"") for column in columns)
    return Figures(
        known,
        np.frombuffer(numbers, ">i4").astype(np.int32),
        np.frombuffer(states, ">i2").astype(np.int16),
        np.frombuffer(figures, ">f8").astype(np.float64),
    )
