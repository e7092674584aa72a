"""Train the final model of a study, and let its test set be read once.

POST final                     --> the lock is looked at --> NAME.final, and with it the reading is recorded
POST final with a confirmation --> the lock is looked at --> NAME.confirmation; when that is complete, NAME.final
"""

import logging

import sqlalchemy as sa

from service import choosing, companions, confirmations, readings
from service.companions import Companion
from service.database import Held, autocommit, transaction
from service.once import UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.reading_finals import described
from service.replica import Replica
from service.storage import audit, locks, studies
from service.storage import finals as stored
from service.storage.dimensions import written
from service.storage.finals import DueFinal, WantedFinal
from service.storage.studies import StudyRow
from service.storage.trials import TrialRow
from trimtab.errors import NoCompleteTrial, Refused, Unavailable
from trimtab.finals import FinalModel, FinalRequest
from trimtab.spec import TaskSpec
from trimtab.states import Purpose

CREATED = 201

INTERVAL_SECONDS = 1.0
"""A final model follows its confirmation at most this long after that is complete."""

_METRIC = "training_error"
"""The value of a final model's trial: each epoch reports it. The error on the test set is told at the end."""

_log = logging.getLogger(__name__)


def ask(
    replica: Replica, name: str, wanted: FinalRequest, *, principal: Principal = OPERATOR, once: Once = UNKEYED
) -> FinalModel:
    """Have the final model of a study trained, and its test set read for it, once.

    Raises:
        StudyNotFound, NoCompleteTrial, SeveralObjectives, ConfirmationRunning, Conflict, Unavailable: As for a
            confirmation.
        TestSetRead: The test set was read before, by this study or one that it is linked to, and that is not to be
            overridden.
    """
    asked = WantedFinal(principal.token_id, wanted.reason)
    with once.transaction(replica.engine) as connection:
        study, task = confirmations.locked(connection, name)
        confirmations.check_settled(connection, study)
        is_again = readings.check(connection, study, is_override=wanted.override)
        if wanted.confirm:
            made = confirmations.create(connection, study, task, wanted.confirm)
            stored.want(connection, study.study_id, made.study_id, asked)
        else:
            stored.forget(connection, study.study_id)
            made = _create(connection, study, task, asked, _chosen(connection, study), is_again=is_again)
        audit.note(connection, principal, "make final model", name, by=made.spec.name, reason=wanted.reason)
        answer = described(connection, study)
        once.keep(connection, answer, status=CREATED, headers=location(name))
    _announce(replica, made.spec.name)
    return answer


def make_due(replica: Replica) -> None:
    """Make each final model whose confirmation is complete. Replicas that do so at once make one.

    Raises:
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        due = stored.due(connection)
    for one in due:
        try:
            _make(replica, one)
        except Held:
            _log.warning("the final model of %(study)s is due, but somebody holds the study", {"study": one.study})
        except Unavailable:
            raise
        except Refused as error:
            _log.warning("there is no final model of %(study)s: %(error)s", {"study": one.study, "error": error})
            _give_up(replica, one, str(error))


def location(name: str) -> dict[str, str]:
    """Return the header that says where the final model of a study is."""
    return {"Location": f"/v1/studies/{name}/final"}


def _chosen(connection: sa.Connection, study: StudyRow) -> tuple[int, TrialRow]:
    """Return the number of the trial of a study that is to be its final model, and the trial that speaks for it."""
    if confirmed := confirmations.winner(connection, study):
        return confirmed
    (best,) = confirmations.best(connection, study, 1)
    return best.number, best


def _create(
    connection: sa.Connection,
    study: StudyRow,
    task: TaskSpec,
    asked: WantedFinal,
    chosen: tuple[int, TrialRow],
    *,
    is_again: bool,
) -> StudyRow:
    """Make the study that trains the final model of a locked study, and record that it reads the test set."""
    number, trial = chosen
    final = Companion(
        purpose=Purpose.FINAL,
        task=task.model_copy(update={"fixed": {**task.fixed, **choosing.final_settings(trial.metrics)}, "repeats": 1}),
        metric=_METRIC,
        points=[written(study.spec.declared, trial.point)],
        seed=choosing.fresh_seed(study.spec.sampler.seed, Purpose.FINAL, number=studies.fresh_number(connection)),
    )
    made = companions.follow(connection, study, final)
    stored.note_originals(connection, made.study_id, [number])
    stored.read(connection, study.study_id, by=made.spec.name, asked=asked, is_override=is_again)
    return made


def _make(replica: Replica, due: DueFinal) -> None:
    """Make a final model whose confirmation is complete, unless another replica has.

    Raises:
        Held: Somebody holds the study.
        Unavailable: The database is away or busy.
        NoCompleteTrial: No trial of the confirmation is complete.
        TestSetRead: Another study has read it meanwhile.
    """
    with transaction(replica.engine) as connection:
        locks.hurry(connection)
        study, task = confirmations.locked(connection, due.study)
        asked = stored.take(connection, due.confirmation_id)
        if asked is None:
            return
        confirmed = confirmations.winner(connection, study)
        if confirmed is None:
            raise NoCompleteTrial(f"no trial of {due.confirmation!r} is complete")
        # Another study may have read it while the confirmation ran.
        is_again = readings.check(connection, study, is_override=asked.reason is not None)
        made = _create(connection, study, task, asked, confirmed, is_again=is_again)
    _announce(replica, made.spec.name)


def _give_up(replica: Replica, due: DueFinal, reason: str) -> None:
    with transaction(replica.engine) as connection:
        stored.refuse(connection, due.confirmation_id, reason)


def _announce(replica: Replica, made: str) -> None:
    _log.info("study %(study)s is created", {"study": made})
    replica.offers.announce()
    replica.changes.announce()
