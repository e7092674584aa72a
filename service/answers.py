"""Trials as they are answered: from rows to messages."""

from collections.abc import Sequence
from datetime import UTC, datetime

from service.storage.dimensions import written
from service.storage.studies import StudyRow
from service.storage.trials import TrialRow
from trimtab.errors import NoCompleteTrial, NoFeasibleTrial
from trimtab.message import Metrics
from trimtab.protocol import BestTrial, Trial

_RETRY_AFTER_SECONDS = 5


def trial(study: StudyRow, row: TrialRow) -> Trial:
    """Return a trial as it is."""
    return Trial(
        study=study.spec.name,
        number=row.number,
        state=row.state,
        params={**row.given, **written(study.declared, row.point)},
        values=_named(study, row.values),
        metrics=row.metrics,
        step=row.step,
        attempts=row.attempts,
        is_feasible=row.is_feasible,
        outcome=row.outcome,
        reason=row.reason,
        worker=row.worker,
        fallback=row.fallback,
        origin=row.origin,
        split=row.split,
        user_attributes=dict(row.user_attributes),
        started_at=_utc(row.started_at),
        completed_at=_utc(row.completed_at),
    )


def best(study: StudyRow, row: TrialRow) -> BestTrial:
    """Return a complete trial that none is better than."""
    assert row.started_at is not None, "a complete trial has begun"
    assert row.completed_at is not None, "and ended"
    return BestTrial(
        study=study.spec.name,
        number=row.number,
        state=row.state,
        params=written(study.declared, row.point),
        values=_named(study, row.values),
        metrics=row.metrics,
        step=row.step,
        study_state=study.state,
        finished_trials=study.finished,
        started_at=row.started_at.replace(tzinfo=UTC),
        completed_at=row.completed_at.replace(tzinfo=UTC),
    )


def _named(study: StudyRow, values: Sequence[float]) -> Metrics:
    """Return values by objective."""
    return {objective.metric: value for objective, value in zip(study.spec.objectives, values, strict=False)}


def _utc(time: datetime | None) -> datetime | None:
    return time.replace(tzinfo=UTC) if time else None


def none_best(study: StudyRow, *, complete: int, remedy: str = "") -> NoCompleteTrial | NoFeasibleTrial:
    """Return the refusal where a study has no best trial.

    Args:
        study: Of one objective.
        complete: Its complete trials, of which none is feasible.
        remedy: What to ask for instead where there are some, to follow the text.
    """
    # While the study runs, asking again may help.
    retry_after = None if study.state.is_ended else _RETRY_AFTER_SECONDS
    name = study.spec.name
    if complete:
        text = f"none of the {complete} complete trials of {name!r} keeps its constraints{remedy}"
        return NoFeasibleTrial(text, retry_after=retry_after)
    return NoCompleteTrial(f"no trial of {name!r} is complete{study.prospect}", retry_after=retry_after)
