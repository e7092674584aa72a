"""Read the trials of a study, and the best of them; stop one."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from service import answers, cursors, lifecycle, pareto
from service.database import autocommit
from service.once import UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.settling import settle
from service.storage import audit, lease_ends, locks, studies, trials
from service.storage.locks import LockedStudy
from service.storage.studies import StudyRow
from service.storage.trials import TrialRow
from trimtab.errors import SeveralObjectives, StudyNotFound, TrialEnded
from trimtab.protocol import Attempt, BestTrial, Page, RecordedReport, Trial, TrialHistory
from trimtab.states import TrialState

_log = logging.getLogger(__name__)

_BEYOND_ALL = 2**31 - 1


def page(
    replica: Replica, study: str, *, state: TrialState | None, cursor: str | None, limit: int, is_descending: bool
) -> Page[Trial]:
    """Return a page of the trials of a study, by number.

    Raises:
        StudyNotFound: There is no such study.
        Invalid: The cursor is none of ours.
        Unavailable: The database is away or busy.
    """
    start = _BEYOND_ALL if is_descending else -1
    after = cursors.integer(cursor)
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        rows = trials.page(
            connection,
            row.study_id,
            state=state,
            after=start if after is None else after,
            limit=limit + 1,
            is_descending=is_descending,
        )
    items = [answers.trial(row, trial) for trial in rows[:limit]]
    return Page(items=items, next=str(rows[limit - 1].number) if len(rows) > limit else None)


def read(replica: Replica, study: str, number: int) -> TrialHistory:
    """Return a trial with every report and every attempt.

    Raises:
        StudyNotFound: There is no such study.
        TrialNotFound: It has no trial of that number.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        trial = trials.require(connection, row, number)
        reports = trials.reports(connection, trial.trial_id)
        attempts = trials.attempts(connection, trial.trial_id)
    return _history(answers.trial(row, trial), reports, attempts)


def glance(replica: Replica, study: str, number: int) -> TrialHistory:
    """Return a trial with every attempt and none of its reports, of which there may be very many.

    Raises:
        StudyNotFound, TrialNotFound, Unavailable: As for read.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        trial = trials.require(connection, row, number)
        attempts = trials.attempts(connection, trial.trial_id)
    return _history(answers.trial(row, trial), [], attempts)


def stop(replica: Replica, study: str, number: int, *, principal: Principal = OPERATOR, once: Once = UNKEYED) -> Trial:
    """End one trial by hand: the worker of one that runs hears a stop at its next call; one that waits is pruned.

    Raises:
        StudyNotFound: There is no such study.
        TrialNotFound: It has no trial of that number.
        TrialEnded: The trial has ended.
        Unavailable: The database is away or busy.
    """
    with once.transaction(replica.engine) as connection:
        locked = locks.lock_study_named(connection, study)
        if locked is None:
            raise StudyNotFound(f"there is no study {study!r}")
        row = studies.require(connection, study)
        trial = trials.require(connection, row, number)
        if _stop(connection, locked, row, trial):
            audit.note(connection, principal, "stop trial", study, number=number)
        answer = answers.trial(row, trials.require(connection, row, number))
        once.keep(connection, answer)
    _log.info("trial %(trial)d of %(study)s is stopped by hand", {"trial": number, "study": study})
    replica.changes.announce()
    # If that was the end of the study, whoever waits for its trials waits in vain.
    replica.offers.announce()
    return answer


def best(replica: Replica, study: str) -> BestTrial:
    """Return the best complete and feasible trial of a study so far.

    Raises:
        StudyNotFound: There is no such study.
        SeveralObjectives: None of its objectives says alone which is best.
        NoCompleteTrial: None is complete yet.
        NoFeasibleTrial: None that is complete keeps the constraints.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        if len(row.spec.objectives) > 1:
            raise SeveralObjectives(f"{study!r} has {len(row.spec.objectives)} objectives: see its best-trials")
        trial = trials.by_id(connection, row.best_trial_id) if row.best_trial_id is not None else None
        complete = 0 if trial else studies.counts(connection, [row.study_id])[row.study_id].get("complete", 0)
    if trial is None:
        raise answers.none_best(row, complete=complete)
    return answers.best(row, trial)


def front(replica: Replica, study: str, *, cursor: str | None, limit: int) -> Page[BestTrial]:
    """Return a page of the complete and feasible trials that no other beats in every objective, by number.

    With one objective that is the best one.

    Raises:
        StudyNotFound: There is no such study.
        Invalid: The cursor is none of ours.
        Unavailable: The database is away or busy.
    """
    after = cursors.integer(cursor)
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        if len(row.spec.objectives) > 1:
            best_ids = pareto.front(trials.ranked(connection, row.study_id), row.spec.objectives)
        else:
            best_ids = [] if row.best_trial_id is None else [row.best_trial_id]
        found = trials.by_ids(connection, best_ids, after=-1 if after is None else after, limit=limit + 1)
    items = [answers.best(row, trial) for trial in found[:limit]]
    return Page(items=items, next=str(items[-1].number) if len(found) > limit else None)


def etag(trial: BestTrial) -> str:
    """Return the weak ETag of (number, ended): it changes with a better trial and when the study ends."""
    return f'W/"{trial.number}-{int(trial.study_state.is_ended)}"'


def _history(trial: Trial, reports: Iterable[Mapping[str, Any]], attempts: Iterable[Mapping[str, Any]]) -> TrialHistory:
    return TrialHistory(
        **dict(trial),
        reports=[RecordedReport.model_validate(report, strict=False) for report in reports],
        history=[Attempt.model_validate(attempt, strict=False) for attempt in attempts],
    )


def _stop(connection: sa.Connection, locked: LockedStudy, study: StudyRow, trial: TrialRow) -> bool:
    """Stop a trial of a locked study; return whether that changed anything."""
    match trial.state:
        case TrialState.RUNNING:
            return lease_ends.ask_to_stop(connection, trial.trial_id, reason=lifecycle.BY_HAND)
        case TrialState.WAITING:
            ending = lifecycle.ending_unheld(trial, study.spec, reason=lifecycle.BY_HAND)
            settle(connection, locked, trial.trial_id, ending, spec=study.spec, is_lost=False)
            return True
        case _:
            raise TrialEnded(f"trial {trial.number} of {study.spec.name!r} has ended: {trial.state}")
