"""Read how far the final model of a study is, and the model."""

from operator import attrgetter

import sqlalchemy as sa

from service import confirmations, readings
from service.database import autocommit
from service.lifecycle import BY_HAND
from service.replica import Replica
from service.storage import finals as stored
from service.storage import models, studies, trials
from service.storage.dimensions import written
from service.storage.families import FamilyRead
from service.storage.models import StoredModel
from service.storage.studies import StudyRow
from service.storage.trials import TrialRow
from trimtab.errors import FinalNotFound, ModelNotFound
from trimtab.finals import FinalModel, FinalState, TestError, TestRead
from trimtab.message import Metrics
from trimtab.states import Purpose, TrialState

_RETRY_AFTER_SECONDS = 5


def read(replica: Replica, name: str) -> FinalModel:
    """Return the final model of a study, as far as it is.

    Raises:
        StudyNotFound: There is no such study.
        FinalNotFound: None was asked for.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        return described(connection, studies.require(connection, name))


def model(replica: Replica, name: str) -> StoredModel:
    """Return where the file of the newest complete final model of a study is.

    Raises:
        StudyNotFound: There is no such study.
        ModelNotFound: It has none, or not yet.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        study = studies.require(connection, name)
        complete, newest = _with_model(connection, study), _newest(connection, study)
        found = models.of_study(connection, complete[0].study_id) if complete else None
    if found is None:
        is_coming = newest is not None and _outcome(*newest)[0] is FinalState.TRAINING
        text = f"study {name!r} has no final model"
        raise ModelNotFound(text, retry_after=_RETRY_AFTER_SECONDS if is_coming else None)
    return found


def described(connection: sa.Connection, study: StudyRow) -> FinalModel:
    """Return the newest complete final model of a study, in the state of the newest that was asked for.

    Raises:
        FinalNotFound: None was asked for.
    """
    reads = sorted(readings.of(connection, study), key=attrgetter("at"))
    shown = [_shown(read) for read in reads]
    confirmation = confirmations.newest(connection, study)
    confirmed = confirmations.described(connection, confirmation) if confirmation else None
    known = FinalModel(study=study.spec.name, state=FinalState.CONFIRMING, confirmation=confirmed, reads=shown)
    complete, newest = _with_model(connection, study), _newest(connection, study)
    if made := complete or newest:
        known = known.model_copy(update=_of_trial(connection, *made))
    if stored.is_wanted(connection, study.study_id):
        return known
    if refusal := stored.refusal(connection, study.study_id):
        return known.model_copy(update={"state": FinalState.FAILED, "reason": refusal})
    if newest:
        state, reason = _outcome(*newest)
        return known.model_copy(update={"state": state, "reason": reason})
    if own := [read for read in reads if read.study_id == study.study_id]:
        reason = f"{own[-1].final_study!r}, which read the test set, was deleted"
        return known.model_copy(update={"state": FinalState.FAILED, "reason": reason})
    raise FinalNotFound(f"no final model of {study.spec.name!r} was made")


def _shown(read: FamilyRead) -> TestRead:
    return TestRead(**{field: getattr(read, field) for field in TestRead.model_fields})


def _newest(connection: sa.Connection, study: StudyRow) -> tuple[StudyRow, TrialRow] | None:
    """Return the newest study for the final model of a study, and its one trial."""
    return _with_trial(connection, stored.newest(connection, study.study_id, Purpose.FINAL))


def _with_model(connection: sa.Connection, study: StudyRow) -> tuple[StudyRow, TrialRow] | None:
    """Return the newest such study that is complete, and its one trial."""
    return _with_trial(connection, stored.newest_with_model(connection, study.study_id))


def _with_trial(connection: sa.Connection, name: str | None) -> tuple[StudyRow, TrialRow] | None:
    final = studies.find(connection, name) if name else None
    trial = trials.by_number(connection, final.study_id, 0) if final else None
    return (final, trial) if final and trial else None


def _of_trial(connection: sa.Connection, final: StudyRow, trial: TrialRow) -> dict[str, object]:
    assert final.spec.task is not None, "a final model has a task"
    is_complete = trial.state is TrialState.COMPLETE
    found = models.of_study(connection, final.study_id) if is_complete else None
    return {
        "trial": stored.originals(connection, final.study_id)[0],
        "params": {**final.spec.task.fixed, **written(final.spec.declared, trial.point)},
        "final_study": final.spec.name,
        "metrics": trial.metrics,
        "test": _test(trial.metrics) if is_complete else None,
        "model": found.described if found else None,
    }


def _outcome(final: StudyRow, trial: TrialRow) -> tuple[FinalState, str | None]:
    """Return how far a final model is, and why it has failed."""
    if final.state.is_ended and trial.state is TrialState.WAITING:
        return FinalState.FAILED, f"{final.spec.name!r} was {BY_HAND}; it goes on when it is resumed"
    return _state(trial), trial.reason


def _state(trial: TrialRow) -> FinalState:
    match trial.state:
        case TrialState.COMPLETE:
            return FinalState.COMPLETE
        case TrialState.PRUNED | TrialState.FAIL:
            return FinalState.FAILED
        case _:
            return FinalState.TRAINING


def _test(metrics: Metrics) -> TestError | None:
    """Return the error on the test set, of the figures that a worker told; None if they lack it."""
    error, low, high, examples = (
        metrics.get(name) for name in ("test_error", "test_error_low", "test_error_high", "test_examples")
    )
    if error is None or low is None or high is None or examples is None:
        return None
    return TestError(error=error, low=low, high=high, examples=round(examples))
