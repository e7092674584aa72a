"""Writes what the end of a lease makes of its trial, and the end of a trial of its study."""

import sqlalchemy as sa

from service import lifecycle, spending
from service.storage import closings, endings, locks, trials
from service.storage.endings import Ending
from service.storage.locks import LockedStudy
from trimtab.spec import StudySpec
from trimtab.states import StudyState


def settle(
    connection: sa.Connection,
    study: LockedStudy,
    trial_id: int,
    ending: Ending | None,
    *,
    spec: StudySpec,
    is_lost: bool,
) -> bool:
    """Write the end of a trial; without an ending it goes back to the queue.

    Args:
        connection: In the transaction that locked the study, and closed the lease if there was one.
        study: Locked.
        trial_id: Of the trial.
        ending: Its end.
        spec: Of the study.
        is_lost: The lease ran out.

    Returns:
        Whether that is news for who waits for trials: there is one more, or there will be none.
    """
    if ending is None:
        endings.requeue(connection, trial_id, is_lost=is_lost)
        return True
    after = lifecycle.study_after(study, ending, spec)
    endings.finish(connection, study, trial_id, ending, after)
    if after.state.is_ended or spending.stops_trials(study.closing) or not study.is_limited:
        return after.state.is_ended
    return close_if_due(connection, study.study_id, spec=spec)


def close_if_due(connection: sa.Connection, study_id: int, *, spec: StudySpec) -> bool:
    """Let a study come to its end if its budget says so; return whether it does by that.

    Args:
        connection: In a transaction that holds no lease or trial unless it holds the study.
        study_id: Of the study. One that was stopped by hand stays so; its trials end.
        spec: Of the study.
    """
    study = locks.lock_study_by_id(connection, study_id)
    if study is None or study.state is StudyState.COMPLETE or spending.stops_trials(study.closing):
        return False
    reason = spending.reason_to_close(study, closings.usage(connection, study_id), spec)
    if reason is None:
        return False
    close(connection, study_id, reason=reason, spec=spec)
    return True


def close(connection: sa.Connection, study_id: int, *, reason: str, spec: StudySpec) -> None:
    """Let a locked study come to its end: running trials are told to stop, waiting ones are pruned.

    It is complete when all have ended.
    """
    closings.begin_closing(connection, study_id, reason=reason)
    waiting = trials.waiting(connection, study_id)
    pruned = {trial.trial_id: lifecycle.ending_unheld(trial, spec, reason=reason) for trial in waiting}
    endings.prune_waiting(connection, study_id, pruned)
    closings.complete(connection, study_id)
