"""Give a study trials: points that are to be trained, and trials that were trained elsewhere."""

import logging

import sqlalchemy as sa

from service import answers, given, growth, lifecycle
from service.once import UNKEYED, Once
from service.replica import Replica
from service.sampling import chance
from service.settling import close_if_due
from service.storage import given as stored
from service.storage import locks, studies, suggestions, trials
from service.storage.dimensions import stored as stored_point
from service.storage.given import AddedTrial
from service.storage.locks import LockedStudy
from service.storage.studies import StudyRow
from trimtab.errors import Conflict, StudyNotFound
from trimtab.given import GivenTrial
from trimtab.protocol import Trial

CREATED = 201

_log = logging.getLogger(__name__)


def give(replica: Replica, study: str, trial: GivenTrial, *, once: Once = UNKEYED) -> Trial:
    """Give a study a trial: one that is to be trained waits and is handed out next, a finished one is on record.

    Raises:
        StudyNotFound: There is no such study.
        Invalid: The study cannot have such a trial.
        Conflict: It is to be trained, and the study has ended or its budget has no room; or the study is settled.
        Unavailable: The database is away or busy.
    """
    with once.transaction(replica.engine) as connection:
        locked = locks.lock_study_named(connection, study)
        if locked is None:
            raise StudyNotFound(f"there is no study {study!r}")
        row = studies.require(connection, study)
        if row.purpose.is_settled:
            raise Conflict(f"study {study!r} has the trials that it was made with: it is a {row.purpose}")
        if row.spec.is_define_by_run:
            row = _grown(connection, row, trial)
        given.check(trial, row.current_spec, is_define_by_run=row.spec.is_define_by_run)
        give_it = _enqueue if trial.state is None else _add
        number = give_it(connection, locked, row, trial)
        created = trials.by_number(connection, row.study_id, number)
        assert created is not None, "it was just stored"
        answer = answers.trial(row, created)
        once.keep(connection, answer, status=CREATED, headers=location(answer))
    said = {"trial": number, "study": study, "origin": answer.origin}
    _log.info("trial %(trial)d of %(study)s is %(origin)s", said)
    replica.offers.announce()
    replica.changes.announce()
    return answer


def location(trial: Trial) -> dict[str, str]:
    """Return the header that says where a trial is."""
    return {"Location": f"/v1/studies/{trial.study}/trials/{trial.number}"}


def _grown(connection: sa.Connection, row: StudyRow, trial: GivenTrial) -> StudyRow:
    """Let the space of a locked study have what the params of a trial could be; return the study."""
    space = row.declared
    for name, parameter in trial.parameters.items():
        space = growth.grown(space, name, parameter)
    if space == row.declared:
        return row
    suggestions.grow(connection, row.study_id, space)
    return studies.require(connection, row.spec.name)


def _enqueue(connection: sa.Connection, locked: LockedStudy, row: StudyRow, trial: GivenTrial) -> int:
    if refusal := lifecycle.refusal_to_enqueue(locked):
        raise Conflict(refusal)
    if row.spec.is_define_by_run:
        return stored.enqueue(connection, locked, (), {}, given=row.spec.flattened(trial.params))
    seed = chance.filling_seed(row.spec.sampler.seed, locked.created + locked.added)
    point = chance.drawn(row.current_spec.searched, row.dimensions, row.spec.flattened(trial.params), seed=seed)
    return stored.enqueue(connection, locked, row.dimensions, point)


def _add(connection: sa.Connection, locked: LockedStudy, row: StudyRow, trial: GivenTrial) -> int:
    ending = given.ending(trial, row.spec)
    curve = [point.model_dump() for point in trial.curve]
    point = stored_point(row.dimensions, row.current_spec.flattened(trial.params))
    leads = lifecycle.is_best(ending, locked.best_value, row.spec)
    stored.add(
        connection,
        locked,
        row.dimensions,
        [AddedTrial(point, ending, curve)],
        metric=row.spec.stopping.metric,
        best=0 if leads else None,
    )
    close_if_due(connection, locked.study_id, spec=row.spec)
    return locked.created + locked.added
