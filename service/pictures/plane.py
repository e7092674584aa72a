"""The plane of bias and variance: each complete trial a dot, as the doctor measures it."""

from collections.abc import Iterator, Sequence
from functools import partial

import sqlalchemy as sa

from service import study_rows
from service.database import autocommit
from service.diagnosis.case import Case
from service.diagnosis.conditions import conditions, figures
from service.diagnosis.curve import finite
from service.pictures.thinning import rounded, spread
from service.replica import Replica
from service.storage import datasets, pictures, trials
from service.storage.studies import StudyRow
from trimtab.diagnosis import Condition, Figures
from trimtab.message import Message, Metrics

MOST_DOTS = 1_000


class Dot(Message):
    """A complete trial.

    Args:
        bias: Training error over the target.
        variance: Error on what was held out over the training error.
        conditions: What it suffers from.
    """

    number: int
    bias: float
    variance: float
    conditions: list[Condition]


class Plane(Message):
    """Bias and variance of the complete trials of a study.

    Args:
        best: The number of the best trial; None: there is none.
        trials: Complete ones that have both errors.
        dots: Of those that are drawn, by validation error.
        target_error: The best that can be reached.
        tolerance: Bias and variance up to this are none; None: no trial has both errors.
    """

    best: int | None
    trials: int
    dots: list[Dot]
    target_error: float
    tolerance: float | None


async def read(replica: Replica, study: str) -> Plane:
    """Return where the complete trials of a study are between bias and variance.

    Raises:
        StudyNotFound: There is no such study.
        Unavailable: The database is away or busy.
    """
    row = await study_rows.read(replica, study)
    return await replica.kept.get("plane", row.study_id, finished=row.finished, make=partial(_made, replica, row))


def _made(replica: Replica, row: StudyRow) -> Plane:
    with autocommit(replica.engine) as connection:
        return _plane(connection, row)


def _plane(connection: sa.Connection, row: StudyRow) -> Plane:
    found = pictures.complete(connection, row.study_id)
    best = trials.by_id(connection, row.best_trial_id) if row.best_trial_id is not None else None
    number_of_best = best.number if best else None
    task = row.spec.task
    facts = datasets.facts_of(connection, task.data) if task else {}
    measured = [
        (number, seen)
        for number, metrics in _drawn(found, number_of_best)
        if (seen := figures(Case(spec=row.current_spec, trial=number, metrics=finite(metrics), datasets=facts)))
    ]
    return Plane(
        best=number_of_best,
        trials=len(found),
        dots=[_dot(number, seen) for number, seen in measured],
        target_error=row.current_spec.diagnosis.target_error,
        tolerance=measured[0][1].tolerance if measured else None,
    )


def _drawn(found: Sequence[tuple[int, Metrics]], best: int | None) -> Iterator[tuple[int, Metrics]]:
    """Yield the trials that are drawn, the best one last: over the others."""
    yield from spread([trial for trial in found if trial[0] != best], MOST_DOTS)
    yield from (trial for trial in found if trial[0] == best)


def _dot(number: int, seen: Figures) -> Dot:
    bias, variance = (value or 0.0 for value in rounded([seen.bias, seen.variance]))
    return Dot(number=number, bias=bias, variance=variance, conditions=conditions(seen))
