"""The learning curves of a study in one picture, with what trials are stopped by."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import sqlalchemy as sa

from service import pruning, study_rows
from service.database import autocommit
from service.pictures.thinning import (
    MOST_POINTS_OF_ONE,
    MOST_READ,
    drawn,
    drawn_running,
    furthest,
    rounded,
    saved_steps,
    spread,
)
from service.replica import Replica
from service.storage import pictures
from service.storage.pictures import Standing, StoredCurve
from service.storage.studies import StudyRow
from trimtab.message import Message
from trimtab.states import Direction, TrialState


class DrawnCurve(Message):
    """The curve of a trial.

    Args:
        steps: Ascending.
        values: Reported there; None is not finite.
    """

    number: int
    state: TrialState
    steps: Sequence[int]
    values: Sequence[float | None]


class DrawnBound(Message):
    """What trials are stopped for being worse than.

    Args:
        measure: Of the complete trials, in words.
        steps: Ascending.
        values: What the best value of a trial so far is compared with there.
    """

    measure: str
    steps: Sequence[int]
    values: Sequence[float]


class CurvesPicture(Message):
    """The learning curves of a study.

    Args:
        metric: By which trials are stopped.
        direction: Which of its values are better.
        best: The number of the best trial; None: there is none, or several objectives.
        trials: That have reported.
        curves: Of those that are drawn: the best, those that run, and of the others as many as there is room for.
        bound: None: the pruner compares trials with no others at their step.
        saved_steps: By stopping trials early, had they gone on as far as complete ones; None: that is not known.
    """

    metric: str
    direction: Direction
    best: int | None
    trials: int
    curves: list[DrawnCurve]
    bound: DrawnBound | None
    saved_steps: float | None


async def read(replica: Replica, study: str) -> CurvesPicture:
    """Return the picture of a study's learning curves; of the trials that have ended as it was when the last one had.

    Raises:
        StudyNotFound: There is no such study.
        Unavailable: The database is away or busy.
    """
    row = await study_rows.read(replica, study)
    # Whoever waits for another to make it holds no connection and no thread.
    picture = await replica.kept.get("curves", row.study_id, finished=row.finished, make=partial(_ended, replica, row))
    return await asyncio.to_thread(_with_running, replica, row, picture)


def _with_running(replica: Replica, row: StudyRow, picture: CurvesPicture) -> CurvesPicture:
    with autocommit(replica.engine) as connection:
        running = pictures.running(connection, row.study_id, objective=_objective(row))
        curves = _curves(connection, running, drawn_running(running))
    return picture.model_copy(update={"trials": picture.trials + len(running), "curves": [*picture.curves, *curves]})


def _ended(replica: Replica, row: StudyRow) -> CurvesPicture:
    """Return the picture without the trials that run."""
    best_id = row.best_trial_id if len(row.spec.objectives) == 1 else None
    with autocommit(replica.engine) as connection:
        trials = pictures.ended(connection, row.study_id, objective=_objective(row))
        longest = pictures.most_reports(connection, furthest(trials), most=MOST_READ)
        return CurvesPicture(
            metric=row.spec.stopping.metric,
            direction=row.spec.stopping.direction,
            best=next((trial.number for trial in trials if trial.trial_id == best_id), None),
            trials=len(trials),
            curves=_curves(connection, trials, drawn(trials, best=best_id, longest=longest)),
            bound=_bound(connection, replica, row),
            saved_steps=saved_steps(trials),
        )


def _objective(row: StudyRow) -> int:
    """Return the position of the objective by which trials are stopped."""
    return row.spec.objectives.index(row.spec.stopping)


def _curves(connection: sa.Connection, trials: Sequence[Standing], points: Mapping[int, int]) -> list[DrawnCurve]:
    curves = pictures.curves(connection, points)
    return [_curve(trial, curves[trial.trial_id]) for trial in trials if trial.trial_id in curves]


def _curve(trial: Standing, curve: StoredCurve) -> DrawnCurve:
    return DrawnCurve(number=trial.number, state=trial.state, steps=curve.steps, values=rounded(curve.values))


def _bound(connection: sa.Connection, replica: Replica, row: StudyRow) -> DrawnBound | None:
    """Return what trials are stopped by, from what the replica that decides remembers."""
    study = replica.memory.study(connection, row.study_id, revision=row.revision)
    if study is None or not pruning.has_bound(study.spec.pruner):
        return None
    study.learn_curves(connection, ended=row.finished)
    with study.lock:
        bound = pruning.bound(study.spec.pruner, study.curves, direction=study.spec.stopping.direction)
    if bound is None or not bound.values:
        return None
    points = spread(list(bound.values.items()), MOST_POINTS_OF_ONE)
    steps, values = zip(*points, strict=True)
    return DrawnBound(
        measure=bound.measure, steps=steps, values=[value for value in rounded(values) if value is not None]
    )
