"""Reads what the doctor needs of a study, or of one trial, and gives its diagnosis."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import sqlalchemy as sa

from service import answers
from service.database import autocommit
from service.diagnosis import Case, Rate, examine
from service.diagnosis.case import Curve
from service.diagnosis.curve import curve, finite
from service.replica import Replica
from service.storage import datasets, diagnosis, studies, trials
from service.storage.studies import StudyRow
from service.storage.trials import TrialRow
from trimtab.diagnosis import Diagnosis
from trimtab.errors import SeveralObjectives
from trimtab.spec import StudySpec
from trimtab.states import Direction, Outcome, Purpose, TrialState

TOP_TRIALS = 5
"""Whose curves are looked at."""


def of_study(replica: Replica, study: str) -> Diagnosis:
    """Return what ails a study, by its best trial, the curves of others that are good, and how its trials ended.

    Raises:
        StudyNotFound: There is no such study.
        SeveralObjectives: None of its objectives says alone which trial is best: ask for a trial.
        NoCompleteTrial: None is complete yet, and those that failed do not say why.
        NoFeasibleTrial: None that is complete keeps the constraints.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        return examined(connection, studies.require(connection, study))


def of_trial(replica: Replica, study: str, number: int) -> Diagnosis:
    """Return what ails one trial, by its own figures.

    Raises:
        StudyNotFound: There is no such study.
        TrialNotFound: It has no trial of that number.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        return examine(_case(connection, row, trials.require(connection, row, number)))


def examined(connection: sa.Connection, study: StudyRow) -> Diagnosis:
    """Return what ails a study, as of_study does.

    Raises:
        SeveralObjectives, NoCompleteTrial, NoFeasibleTrial: As for of_study.
    """
    if len(study.spec.objectives) > 1:
        raise SeveralObjectives(f"{study.spec.name!r} has {len(study.spec.objectives)} objectives: diagnose a trial")
    outcomes = diagnosis.outcomes(connection, study.study_id)
    best = trials.by_id(connection, study.best_trial_id) if study.best_trial_id is not None else None
    if best is None:
        found = examine(Case(spec=study.current_spec, outcomes=outcomes))
        if not found.findings:
            complete = outcomes.get(Outcome.COMPLETE, 0)
            raise answers.none_best(study, complete=complete, remedy=": diagnose one of them")
        return found
    direction = study.spec.objectives[0].direction
    top = diagnosis.top(connection, study.study_id, direction, limit=TOP_TRIALS)
    case = _case(connection, study, best, others=[other for other in top if other != best.trial_id])
    rates = list(_rates(connection, study, direction))
    return examine(replace(case, outcomes=outcomes, rates=rates))


def _case(connection: sa.Connection, study: StudyRow, trial: TrialRow, *, others: Iterable[int] = ()) -> Case:
    task = study.spec.task
    is_whole = trial.state is TrialState.COMPLETE
    return Case(
        spec=study.current_spec,
        trial=trial.number,
        params=answers.trial(study, trial).params,
        metrics=finite(trial.metrics),
        curve=_curve(connection, study, trial.trial_id) if is_whole else (),
        datasets=datasets.facts_of(connection, task.data) if task else {},
        others=[_curve(connection, study, other) for other in others],
        before=list(_before(connection, study)),
    )


def _curve(connection: sa.Connection, study: StudyRow, trial_id: int) -> Curve:
    """Return the curve of a trial; empty where its steps are whole trainings: means over more and more are none."""
    is_one_training = not study.spec.has_trainings or study.purpose is Purpose.FINAL
    return curve(trials.reports(connection, trial_id)) if is_one_training else ()


def _before(connection: sa.Connection, study: StudyRow) -> Iterator[StudySpec]:
    """Give the specs of the studies that one follows, the nearest first."""
    while study.parent and (found := studies.find(connection, study.parent)):
        study = found
        yield study.current_spec


def _rates(connection: sa.Connection, study: StudyRow, direction: Direction) -> Iterator[Rate]:
    dimension = next((one for one in study.dimensions if one.stored_name == "learning_rate"), None)
    if dimension is None:
        return
    for stored, value, metrics in diagnosis.learning_rates(connection, study.study_id):
        rate = dimension.value(stored)
        if isinstance(rate, int | float):
            yield Rate.of(rate, math.inf if value is None else direction.sign * value, finite(metrics))
