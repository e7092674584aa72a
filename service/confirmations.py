"""Confirm the best trials of a study: each is trained again, several times, in a study of its own."""

import logging
import math

import sqlalchemy as sa

from service import choosing, companions
from service.companions import Companion
from service.database import autocommit
from service.once import UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.storage import audit, studies, trials
from service.storage import finals as stored
from service.storage.dimensions import written
from service.storage.studies import StudyRow
from service.storage.trials import TrialRow
from trimtab.errors import ConfirmationRunning, NoCompleteTrial, NotFound, SeveralObjectives
from trimtab.finals import Confirm, Confirmation, ConfirmedTrial
from trimtab.spec import TaskSpec
from trimtab.states import Purpose, TrialState

CREATED = 201

_LOOKED_AT = 200
"""Best trials among which those are sought that differ: a sampler may try a point again."""

_RETRY_AFTER_SECONDS = 5

_log = logging.getLogger(__name__)


def confirm(
    replica: Replica, name: str, wanted: Confirm, *, principal: Principal = OPERATOR, once: Once = UNKEYED
) -> Confirmation:
    """Have the best trials of a study trained again, with fresh seeds on the same split.

    Raises:
        StudyNotFound: There is no such study.
        NoCompleteTrial: It has no complete trial that keeps its constraints.
        SeveralObjectives: None of its objectives says alone which trial is best.
        ConfirmationRunning: Another confirmation of it has not ended.
        Conflict: It has no task, or is none that searches.
        Unavailable: The database is away or busy.
    """
    with once.transaction(replica.engine) as connection:
        study, task = locked(connection, name)
        check_settled(connection, study)
        made = create(connection, study, task, wanted)
        audit.note(connection, principal, "confirm study", name, by=made.spec.name)
        answer = described(connection, made)
        once.keep(connection, answer, status=CREATED, headers=location(name))
    _log.info("study %(study)s is created", {"study": made.spec.name})
    replica.offers.announce()
    replica.changes.announce()
    return answer


def read(replica: Replica, name: str) -> Confirmation:
    """Return the newest confirmation of a study.

    Raises:
        StudyNotFound: There is no such study.
        NotFound: It has none.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        found = newest(connection, studies.require(connection, name))
        if found is None:
            raise NotFound(f"study {name!r} has no confirmation")
        return described(connection, found)


def location(name: str) -> dict[str, str]:
    """Return the header that says where the confirmation of a study is."""
    return {"Location": f"/v1/studies/{name}/confirmation"}


def locked(connection: sa.Connection, name: str) -> tuple[StudyRow, TaskSpec]:
    """Lock a study of which one trial is to be chosen; return it and its task.

    Raises:
        StudyNotFound, SeveralObjectives, Conflict: As `confirm`.
    """
    study, task = companions.locked_parent(connection, name)
    if len(study.spec.objectives) > 1:
        raise SeveralObjectives(f"{name!r} has {len(study.spec.objectives)} objectives: none says which trial is best")
    return study, task


def check_settled(connection: sa.Connection, study: StudyRow) -> None:
    """Return if no confirmation of a study is under way, and no final model waits for one.

    Raises:
        ConfirmationRunning: One is.
    """
    found = newest(connection, study)
    if found and (not found.state.is_ended or stored.is_wanted(connection, study.study_id)):
        text = f"{found.spec.name!r} is {found.state}: which trial of {study.spec.name!r} is chosen is not known yet"
        raise ConfirmationRunning(text, retry_after=_RETRY_AFTER_SECONDS)


def create(connection: sa.Connection, study: StudyRow, task: TaskSpec, wanted: Confirm) -> StudyRow:
    """Make the confirmation of a locked study.

    Raises:
        NoCompleteTrial: It has no complete trial that keeps its constraints.
    """
    chosen = best(connection, study, wanted.top)
    objective = study.spec.objectives[0]
    confirmation = Companion(
        purpose=Purpose.CONFIRMATION,
        task=task.model_copy(update={"repeats": wanted.repeats}),
        metric=objective.metric,
        direction=objective.direction,
        points=[written(study.spec.declared, trial.point) for trial in chosen],
        seed=choosing.fresh_seed(
            study.spec.sampler.seed, Purpose.CONFIRMATION, number=studies.fresh_number(connection)
        ),
    )
    made = companions.follow(connection, study, confirmation)
    stored.note_originals(connection, made.study_id, [trial.number for trial in chosen])
    return made


def best(connection: sa.Connection, study: StudyRow, count: int) -> list[TrialRow]:
    """Return the best complete and feasible trials of a study that differ, the best first, at least one.

    Raises:
        NoCompleteTrial: There is none.
    """
    found = _best_first(connection, study, study)
    if not found:
        raise NoCompleteTrial(f"no trial of {study.spec.name!r} is complete and keeps its constraints")
    return choosing.distinct(found, count)


def winner(connection: sa.Connection, study: StudyRow) -> tuple[int, TrialRow] | None:
    """Return the number of the trial of a study that its newest confirmation found best, and its confirmed trial.

    None: there is no confirmation, or none of its trials is complete.
    """
    confirmation = newest(connection, study)
    if confirmation is None or not (found := _best_first(connection, confirmation, study)):
        return None
    return stored.originals(connection, confirmation.study_id)[found[0].number], found[0]


def newest(connection: sa.Connection, study: StudyRow) -> StudyRow | None:
    """Return the newest confirmation of a study; None if it has none."""
    name = stored.newest(connection, study.study_id, Purpose.CONFIRMATION)
    return studies.find(connection, name) if name else None


def described(connection: sa.Connection, confirmation: StudyRow) -> Confirmation:
    """Return a confirmation as it is."""
    assert confirmation.spec.task is not None, "what has no task is not trained again"
    originals = stored.originals(connection, confirmation.study_id)
    page = trials.page(
        connection, confirmation.study_id, state=None, after=-1, limit=len(originals), is_descending=False
    )
    objective = confirmation.spec.objectives[0]
    confirmed = [_confirmed(trial, originals[trial.number], objective.metric) for trial in page]
    sign = objective.direction.sign
    return Confirmation(
        study=confirmation.spec.name,
        state=confirmation.state,
        repeats=confirmation.spec.task.repeats,
        trials=sorted(confirmed, key=lambda trial: math.inf if trial.value is None else sign * trial.value),
    )


def _best_first(connection: sa.Connection, study: StudyRow, searched: StudyRow) -> list[TrialRow]:
    """Return the best trials of a study, the best first, by what is better in the study that was searched."""
    ranked = trials.ranked(connection, study.study_id)
    ids = choosing.best_first(ranked, searched.spec.objectives[0].direction)[:_LOOKED_AT]
    rows = {row.trial_id: row for row in trials.by_ids(connection, ids, after=-1, limit=len(ids))}
    return [rows[trial_id] for trial_id in ids]


def _confirmed(trial: TrialRow, original: int, metric: str) -> ConfirmedTrial:
    is_complete = trial.state is TrialState.COMPLETE
    return ConfirmedTrial(
        trial=original,
        state=trial.state,
        value=trial.metrics.get(metric) if is_complete else None,
        standard_error=trial.metrics.get(f"{metric}_scatter") if is_complete else None,
    )
