"""A study starts from the trials of another one: those that fit become finished trials of its own."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Literal

import sqlalchemy as sa

from service import given, growth, lifecycle
from service.storage import dimensions, locks, studies, suggestions
from service.storage import given as stored
from service.storage.given import AddedTrial, TakenTrial
from service.storage.studies import StudyRow
from trimtab.errors import Invalid
from trimtab.given import GivenTrial
from trimtab.protocol import FieldProblem, Report
from trimtab.space import NOTHING
from trimtab.states import TrialState

_AT_ONCE = 500
"""Trials that are held in memory."""


def inherit(connection: sa.Connection, study: StudyRow) -> None:
    """Take over the trials of the study that the spec of this new one names, in the transaction that made it.

    Raises:
        Invalid: There is no such study, or its figures say nothing about this one.
    """
    wanted = study.spec.warm_start
    if wanted is None:
        return
    other = studies.find(connection, wanted.study)
    if other is None or other.study_id == study.study_id:
        raise _unsuitable(f"is no study: {wanted.study!r}")
    if fault := given.comparable(other.spec, study.spec):
        raise _unsuitable(fault)
    if study.spec.is_define_by_run:
        study = _searching_as(connection, other, study)
    taken = _taken(connection, other, study)
    while trials := list(islice(taken, _AT_ONCE)):
        _add(connection, study, trials)


def _searching_as(connection: sa.Connection, other: StudyRow, study: StudyRow) -> StudyRow:
    """Return a new study without a space with that of the other, in which its trials lie."""
    space = NOTHING
    for name, parameter in other.current_spec.searched.root.items():
        # What trials ask for by themselves has no condition: the code that asks has it.
        space = growth.grown(space, name, parameter.model_copy(update={"when": None}))
    if space:
        suggestions.grow(connection, study.study_id, space)
    return studies.require(connection, study.spec.name)


def _taken(connection: sa.Connection, other: StudyRow, study: StudyRow) -> Iterator[AddedTrial]:
    for trial in stored.taken(connection, other.study_id):
        if found := _as_here(trial, other, study):
            yield found


def _as_here(trial: TakenTrial, other: StudyRow, study: StudyRow) -> AddedTrial | None:
    """Return a trial of the other study as it is in this one; None if it does not fit."""
    params = dimensions.params(other.dimensions, trial.point)
    point = params if study.spec.is_define_by_run else given.mapped(params, other.spec, study.spec)
    if point is None or not given.has_figures(trial.metrics, trial.state, study.spec):
        return None
    last = tuple(Report.model_construct(**measured) for measured in trial.curve[-1:])
    state: Literal["complete", "pruned"] = "complete" if trial.state is TrialState.COMPLETE else "pruned"
    told = GivenTrial.model_construct(params=point, state=state, metrics=trial.metrics, curve=last, step=trial.step)
    stored_point = dimensions.stored(study.dimensions, point)
    return AddedTrial(stored_point, given.ending(told, study.spec), trial.curve)


def _add(connection: sa.Connection, study: StudyRow, trials: Sequence[AddedTrial]) -> None:
    locked = locks.lock_study_named(connection, study.spec.name)
    assert locked is not None, "it was just made"
    best, best_value = None, locked.best_value
    for place, trial in enumerate(trials):
        if lifecycle.is_best(trial.ending, best_value, study.spec):
            best, best_value = place, trial.ending.values[0]
    stored.add(connection, locked, study.dimensions, trials, metric=study.spec.stopping.metric, best=best)


def _unsuitable(fault: str) -> Invalid:
    problem = FieldProblem(field="warm_start.study", message=fault)
    return Invalid("the study cannot start from that one", errors=[problem])
