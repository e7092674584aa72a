"""How a study went on: its best value, or hypervolume, by trial and by seconds, and what its sampler gained."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np

from service import study_rows
from service.database import autocommit
from service.gain import gain
from service.replica import Replica
from service.sampling.hypervolume import hypervolumes, reference_M
from service.storage import progress
from service.storage.progress import EndedTrial
from service.storage.studies import StudyRow
from trimtab.learned import Progress, ProgressPoint
from trimtab.objectives import Objective
from trimtab.states import Origin, TrialState

MOST_OBJECTIVES = 3
"""Of a hypervolume: with each more it takes many times as long."""


@dataclass(frozen=True)
class _Course:
    """The best so far after each good trial; empty, with a reason, where that is not to be told."""

    measure: str
    values: Sequence[float]
    reference: dict[str, float] | None = None
    reason: str | None = None


async def read(replica: Replica, study: str) -> Progress:
    """Return how a study went on so far.

    Raises:
        StudyNotFound: There is no such study.
        Unavailable: The database is away or busy.
    """
    row = await study_rows.read(replica, study)
    return await replica.kept.get("progress", row.study_id, finished=row.finished, make=partial(_read, replica, row))


def _read(replica: Replica, row: StudyRow) -> Progress:
    with autocommit(replica.engine) as connection:
        trials = progress.ended(connection, row.study_id)
    good = [(order, trial) for order, trial in enumerate(trials, start=1) if _is_good(trial)]
    control = [(order, trial) for order, trial in good if trial.origin is Origin.CONTROL]
    course = _course([trial for _, trial in good], row.spec.objectives)
    began_at = _began_at(trials)
    return Progress(
        measure=course.measure,
        points=_points(good, course.values, began_at=began_at),
        control=_points(control, _best_so_far(control, row.spec.objectives), began_at=began_at),
        finished=len(trials),
        reference=course.reference,
        reason=course.reason,
        gain=gain(trials, row.spec),
    )


def _best_so_far(control: Sequence[tuple[int, EndedTrial]], objectives: Sequence[Objective]) -> Sequence[float]:
    """Return the best so far of the control arm; none with several objectives, as it has no gain to tell either."""
    return _course([trial for _, trial in control], objectives).values if len(objectives) == 1 else []


def _is_good(trial: EndedTrial) -> bool:
    return trial.state is TrialState.COMPLETE and trial.is_feasible is not False and bool(trial.values)


def _began_at(trials: Sequence[EndedTrial]) -> datetime | None:
    return min((trial.began_at for trial in trials if trial.began_at), default=None)


def _course(good: Sequence[EndedTrial], objectives: Sequence[Objective]) -> _Course:
    measure = objectives[0].metric if len(objectives) == 1 else "hypervolume"
    if not good:
        return _Course(measure, [], reason="no trial is complete and keeps the constraints")
    if len(objectives) > MOST_OBJECTIVES:
        return _Course(measure, [], reason=f"the hypervolume of more than {MOST_OBJECTIVES} objectives takes too long")
    signs_M = np.array([objective.direction.sign for objective in objectives])
    losses_NM = np.array([trial.values for trial in good]) * signs_M
    if len(objectives) == 1:
        return _Course(measure, (np.minimum.accumulate(losses_NM[:, 0]) * signs_M[0]).tolist())
    with np.errstate(over="ignore"):
        reference = reference_M(losses_NM)
        values = hypervolumes(losses_NM, reference)
    if not np.isfinite([*reference, *values]).all():
        return _Course(measure, [], reason="the values lie too far apart for a hypervolume")
    metrics = [objective.metric for objective in objectives]
    named = dict(zip(metrics, (reference * signs_M).tolist(), strict=True))
    return _Course(measure, values, reference=named)


def _points(
    good: Sequence[tuple[int, EndedTrial]], values: Sequence[float], *, began_at: datetime | None
) -> list[ProgressPoint]:
    """Return the trials that made the study better."""
    points: list[ProgressPoint] = []
    for (order, trial), value in zip(good, values, strict=False):
        if points and points[-1].value == value:
            continue
        seconds = (trial.ended_at - began_at).total_seconds() if trial.ended_at and began_at else None
        points.append(ProgressPoint(number=trial.number, finished=order, seconds=seconds, value=value))
    return points
