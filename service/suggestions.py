"""Suggest: a running trial of a define-by-run study says which parameter it needs, and gets a value of it for good."""

import logging
from dataclasses import dataclass

import sqlalchemy as sa

from service import given, growth
from service.calls import after_outage, gone, look, not_live
from service.database import autocommit
from service.memory import StudyMemory
from service.once import UNKEYED, Once
from service.replica import Replica
from service.sampling import OpenPoint, Suggestion, View, random_one
from service.storage import leases, suggestions
from service.storage.dimensions import Dimension, dimension
from service.storage.leases import Reference
from service.storage.suggestions import Standing, Value
from trimtab.errors import Conflict, Refused, Unavailable
from trimtab.space import NOTHING, Space
from trimtab.states import Origin
from trimtab.suggestions import Suggested, Wanted

_TRIES = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Case:
    """A parameter that a trial asks for.

    Args:
        study: Of the trial.
        standing: What the value is chosen on.
        view: Of the other trials; None: the trial has a value.
        asked: The parameter.
        is_new: The study's space has to grow by it.
    """

    study: StudyMemory
    standing: Standing
    view: View | None
    asked: Dimension
    is_new: bool


@after_outage
def suggest(replica: Replica, lease: Reference, wanted: Wanted, *, once: Once = UNKEYED) -> Suggested:
    """Give the trial a value of a parameter and renew the lease. The same name again: the same value.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden: As for a report.
        Conflict: The study has a space.
        Invalid: The study cannot have such a parameter, or the trial has a value that does not lie in it.
        Unavailable: The database is away or busy.
    """
    asked = dimension(wanted.name, wanted.parameter)
    for _ in range(_TRIES):
        case = _case(replica, lease, asked, once)
        value = _value(case)
        answer = Suggested(name=wanted.name, value=asked.value(value.stored))
        if _kept(replica, lease, case, value, answer, once):
            return answer
        with autocommit(replica.engine) as connection:
            row = look(connection, lease)
        if not row.is_live:
            raise not_live(row)
    raise Unavailable("other calls on this lease came in between each time; try again", retry_after=1)


def _case(replica: Replica, lease: Reference, asked: Dimension, once: Once) -> _Case:
    with autocommit(replica.engine) as connection:
        found = suggestions.standing(connection, lease.lease_id, asked.stored_name)
        # After the look: if this very request took effect in between, its answer is there now.
        once.replay(connection)
        if found is None:
            raise gone(connection, lease.lease_id)
        study = replica.memory.study(connection, found.study_id, revision=found.revision)
        if study is None:
            raise gone(connection, lease.lease_id)
        try:
            space = _grown(study, found, asked)
        except Refused as refusal:
            row = look(connection, lease)
            raise refusal if row.is_live else not_live(row) from refusal
        if found.stored is not None:
            return _Case(study, found, None, asked, is_new=False)
        return _Case(study, found, _view(connection, study, found), asked, is_new=space != study.spec.declared)


def _grown(study: StudyMemory, found: Standing, asked: Dimension) -> Space:
    """Return the study's space with the parameter.

    Raises:
        Conflict, Invalid: The trial cannot have it.
    """
    if not study.is_define_by_run:
        raise Conflict(f"study {study.spec.name!r} has a space: its trials have all their params when they are leased")
    space = growth.grown(study.spec.declared, asked.name, asked.parameter)
    value = found.given.get(asked.name) if found.stored is None else asked.value(found.stored)
    if value is not None and (fault := given.beside(asked.parameter, value)):
        source = "was given" if found.stored is None else "has"
        raise growth.refused(asked.name, "name", f"{source} the value {value!r} in this trial, and {fault}")
    return space


def _view(connection: sa.Connection, study: StudyMemory, found: Standing) -> View:
    observations = study.observations
    if observations.known < found.ended:
        observations = study.observe(connection)
    ended = set(observations.numbers_N.tolist())
    unfinished = [OpenPoint(trial.number, trial.point) for trial in found.unfinished if trial.number not in ended]
    return View.of(study.spec, study.dimensions, observations, unfinished)


def _value(case: _Case) -> Value:
    found, asked = case.standing, case.asked
    if found.stored is not None:
        return Value(asked, found.stored)
    if asked.name in found.given:
        return Value(asked, asked.stored(found.given[asked.name]))
    assert case.view, "the trial has no value"
    suggestion = _chosen(case, case.view)
    return Value(asked, suggestion.point[asked.stored_name], suggestion.fallback)


def _chosen(case: _Case, view: View) -> Suggestion:
    study, number = case.study, case.standing.number
    if case.standing.origin is Origin.CONTROL:
        return random_one(study.spec, view, case.asked, number=number)
    with study.meters.sampling(study.spec.sampler.name):
        suggestion = study.suggester.suggest_one(study.spec, view, case.asked, number=number)
    if suggestion.fallback:
        study.meters.fell_back(study.spec.sampler.name)
    return suggestion


def _kept(replica: Replica, lease: Reference, case: _Case, value: Value, answer: Suggested, once: Once) -> bool:
    """Write the value and renew the lease; return False if the lease is not live, or has a value meanwhile.

    Where the space grows: lock the study, write the value (guarded), write the space: one transaction.
    """
    begun = once.transaction if case.is_new else once.statement
    with case.study.crowd.joined(), begun(replica.engine) as connection:
        space = suggestions.lock_space(connection, case.study.study_id) if case.is_new else None
        if not _written(connection, lease, case, value, lease_seconds=replica.lease_seconds):
            return False
        if case.is_new:
            _grow(connection, case, space or NOTHING)
        once.keep(connection, answer)
    return True


def _written(connection: sa.Connection, lease: Reference, case: _Case, value: Value, *, lease_seconds: float) -> bool:
    if case.standing.stored is not None:
        return leases.renew(connection, lease, lease_seconds=lease_seconds) is not None
    return suggestions.take(connection, lease, value, lease_seconds=lease_seconds)


def _grow(connection: sa.Connection, case: _Case, space: Space) -> None:
    """Give the study a space that has the parameter: what it is now may be more than was known."""
    larger = growth.grown(space, case.asked.name, case.asked.parameter)
    if larger != space:
        suggestions.grow(connection, case.study.study_id, larger)
        found = {"study": case.study.spec.name, "name": case.asked.name}
        _log.info("study %(study)s: a trial asks for %(name)s where none did", found)
