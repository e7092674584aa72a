"""The trials of a study as a table: sorted by whatever they have, a page at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from service import answers, shown
from service.database import autocommit
from service.rankings import ranked
from service.replica import Replica
from service.storage import studies, trials
from service.storage.dimensions import dimension
from service.storage.sort_keys import By, SortKey
from service.storage.studies import StudyRow
from trimtab.errors import Invalid
from trimtab.lists import nth
from trimtab.protocol import FieldProblem, Study, Trial
from trimtab.states import TrialState

NUMBER = "number"
VALUE = "value."
PARAM = "param."
"""A table is sorted by `number`, `state`, `duration`, `value.METRIC` or `param.NAME`."""


@dataclass(frozen=True)
class Asked:
    """Which trials are asked for.

    Args:
        state: In this state; None: in all.
        key: What they are sorted by.
        is_descending: The highest first.
        offset: After so many.
        limit: At most.
    """

    state: TrialState | None
    key: str
    is_descending: bool
    offset: int
    limit: int


@dataclass(frozen=True)
class Table:
    """A page of the trials of a study.

    Args:
        study: As it is.
        trials: On the page.
        total: In the state that was asked for.
        best: Which of these is the best of the study; None: none of them.
    """

    study: Study
    trials: Sequence[Trial]
    total: int
    best: int | None


def page(replica: Replica, study: str, asked: Asked) -> Table:
    """Return a page of the trials of a study; of equals, and of those that lack what is sorted by, by number.

    Raises:
        StudyNotFound: There is no such study.
        Invalid: Its trials have nothing of that name to be sorted by.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        numbers = _numbers(replica, connection, row, asked)
        found = trials.by_numbers(connection, row.study_id, numbers)
        answer = shown.read(connection, row)
    counts = answer.counts.model_dump()
    return Table(
        study=answer,
        trials=[answers.trial(row, trial) for trial in found],
        total=sum(counts.values()) if asked.state is None else counts[asked.state],
        best=next((trial.number for trial in found if trial.trial_id == row.best_trial_id), None),
    )


def _numbers(replica: Replica, connection: sa.Connection, study: StudyRow, asked: Asked) -> list[int]:
    if asked.key == NUMBER:
        return trials.numbers(
            connection,
            study.study_id,
            state=asked.state,
            offset=asked.offset,
            limit=asked.limit,
            is_descending=asked.is_descending,
        )
    found = dict(_keys(study)).get(asked.key)
    if found is None:
        message = "is nothing that the trials of this study have"
        raise Invalid("the table cannot be sorted by that", errors=[FieldProblem(field="sort", message=message)])
    figures = replica.rankings.figures(connection, study.study_id, found.key)
    numbers = ranked(figures, asked.state, is_descending=asked.is_descending != found.is_turned)
    return [int(number) for number in numbers[asked.offset : asked.offset + asked.limit]]


@dataclass(frozen=True)
class _Key:
    """By what is really sorted; `is_turned`: it falls where what is shown rises."""

    key: SortKey
    is_turned: bool = False


def _keys(study: StudyRow) -> Iterator[tuple[str, _Key]]:
    """Yield what the trials of a study are sorted by, but their numbers."""
    yield By.STATE, _Key(SortKey(By.STATE))
    yield By.DURATION, _Key(SortKey(By.DURATION))
    for position, objective in enumerate(study.spec.objectives):
        yield f"{VALUE}{objective.metric}", _Key(SortKey(By.VALUE, objective=position))
    for name, parameter in study.declared.root.items():
        # A list goes by its first value.
        stored = dimension(nth(name, 1) if parameter.per else name, parameter)
        yield f"{PARAM}{name}", _Key(SortKey(By.PARAM, param=stored.stored_name), stored.stored_name != stored.name)
