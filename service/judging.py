"""Judges a report on what a replica knows of its trial and of the others."""

import logging
from collections.abc import Mapping

import sqlalchemy as sa

from service import pruning
from service.database import autocommit
from service.memory import Progress, StudyMemory
from service.pruning import Judgement, Others, Rungs, Standing
from service.storage import leases
from service.storage.leases import LeaseRow
from trimtab.protocol import Report
from trimtab.states import Direction

_log = logging.getLogger(__name__)


def is_enough(study: StudyMemory, before: Progress) -> bool:
    """Return whether what is known of a trial is all that the pruner looks at."""
    pruner = study.spec.pruner
    if pruning.looks_at_curve(pruner) and before.curve is None:
        return False
    return before.rungs is not None or not pruning.looks_at_rungs(pruner)


def progress_on_record(connection: sa.Connection, study: StudyMemory, lease_id: int, row: LeaseRow) -> Progress:
    """Read how far a lease has come, with all that the pruner looks at."""
    pruner = study.spec.pruner
    return Progress(
        study.study_id,
        row.number,
        row.last_step,
        row.best,
        curve=leases.curve(connection, lease_id) if pruning.looks_at_curve(pruner) else None,
        rungs=leases.rungs(connection, lease_id) if pruning.looks_at_rungs(pruner) else None,
    )


def learn(connection: sa.Connection, study: StudyMemory, *, step: int, ended: int) -> None:
    """Read what a decision at `step` depends on, at least of the first `ended` trials that ended."""
    if not pruning.looks_at_ended(study.spec.pruner, step):
        return
    if pruning.looks_at_best(study.spec.pruner):
        study.learn_best(connection, ended=ended)
    else:
        study.learn_curves(connection, ended=ended)


def standing(study: StudyMemory, before: Progress, measured: Report) -> Standing:
    """Return a trial as it stands with a new report."""
    objective = study.spec.stopping
    value = measured.metrics[objective.metric]
    looks_back = pruning.looks_at_curve(study.spec.pruner)
    return Standing(
        study=study.spec.name,
        number=before.number,
        step=measured.step,
        value=value,
        previous_step=before.last_step,
        best=_better(before.best, value, objective.direction),
        curve={**(before.curve or {}), measured.step: value} if looks_back else {},
        rungs=before.rungs or 0,
        is_mean=study.spec.has_trainings,
    )


def judge(engine: sa.Engine, study: StudyMemory, trial: Standing) -> Judgement:
    """Return what the pruner says; where it fails the trial goes on, and the failure is counted.

    Who else came to the rungs that the trial comes to is read from the database; nothing is where it comes to none.

    Raises:
        Unavailable: The database is away or busy.
    """
    with study.meters.pruning(study.spec.pruner.name):
        return _judged(engine, study, trial)


def _judged(engine: sa.Engine, study: StudyMemory, trial: Standing) -> Judgement:
    try:
        comes_to_rungs = bool(pruning.reached_rungs(study.spec.pruner, trial))
    except Exception:  # noqa: BLE001  # whatever fails in it, no trial is lost by it
        return _failed(study, trial)
    rungs = _rivals(engine, study) if comes_to_rungs else {}
    try:
        with study.lock:
            others = Others(study.curves, rungs)
            return pruning.judge(study.spec.pruner, trial, others, direction=study.spec.stopping.direction)
    except Exception:  # noqa: BLE001  # likewise
        return _failed(study, trial)


def _rivals(engine: sa.Engine, study: StudyMemory) -> Mapping[int, Rungs]:
    with study.crowd.joined(), autocommit(engine) as connection:
        return study.learn_rungs(connection)


def _failed(study: StudyMemory, trial: Standing) -> Judgement:
    with study.lock:
        study.pruner_failures += 1
        failures = study.pruner_failures
    study.meters.pruner_failed(study.spec.pruner.name)
    said = {"study": study.spec.name, "trial": trial.number, "step": trial.step, "failures": failures}
    _log.exception(
        "study %(study)s: the pruner failed at step %(step)d, %(failures)d times so far; the trial goes on", said
    )
    return pruning.GO_ON


def progress_after(study: StudyMemory, trial: Standing, judgement: Judgement) -> Progress:
    """Return how far a lease has come with a report that was recorded."""
    rungs = trial.rungs + len(judgement.rungs)
    return Progress(study.study_id, trial.number, trial.step, trial.best, curve=trial.curve, rungs=rungs)


def _better(best: float | None, value: float | None, direction: Direction) -> float | None:
    if best is None or value is None:
        return value if best is None else best
    return value if direction.is_better(value, best) else best
