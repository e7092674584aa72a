"""New trials for a worker that asks, at points that were chosen ahead or are chosen now."""

import logging
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace

import sqlalchemy as sa

from service import narrowing, points, sampling
from service.asking import Asking
from service.database import autocommit, transaction
from service.lifecycle import TRIED
from service.memory import StudyMemory
from service.replica import Replica
from service.sampling.control import controlled, is_control
from service.storage import asks
from service.storage.asks import Candidate, Granted, NewTrial
from trimtab.states import Origin

_log = logging.getLogger(__name__)

_TAKEN = "another trial was given its point meanwhile"


def create(asking: Asking, study: StudyMemory, candidate: Candidate) -> list[Granted]:
    """Create the next trials, at points that no other ask was given.

    One ask at a time gets the point of its number. Where several come at once, one of them does and the others get
    points drawn with salt: had they all sampled for the same number, all would have the same point.
    """
    number, count = candidate.number, min(asking.count, candidate.left)
    if count <= 0:
        return []
    if study.is_define_by_run:
        return _empty(asking, study, number, count)
    if sampling.is_sequence(study.spec):
        return _next_of_sequence(asking, study, count)
    if narrowing.has_rounds(study.spec):
        return _next_of_round(asking, study, count)
    with study.asking() as is_alone:
        granted = _prepared(asking, study, candidate, count)
        return granted or _chosen(asking, study, number, count, salt=None if is_alone else secrets.randbits(32))


def _empty(asking: Asking, study: StudyMemory, number: int, count: int) -> list[Granted]:
    """Create the next trials without a point: what is chosen, is chosen when it is asked for."""
    drafts = [
        NewTrial(point={}, sampled_for=at, origin=Origin.CONTROL if is_control(study.spec, at) else Origin.SAMPLED)
        for at in range(number, number + count)
    ]
    with asking.granting(study) as (connection, granted):
        granted.extend(_granted(connection, asking, study, drafts))
    return granted


def _prepared(asking: Asking, study: StudyMemory, candidate: Candidate, count: int) -> list[Granted]:
    """Create the next trials at points that were chosen ahead, if there are any that may be used."""
    found = study.stock.take(count, number=candidate.number, ended=candidate.ended, running=candidate.running)
    if found is None:
        return []
    return _create_at(asking, study, found.number, found.suggestions, salt=found.salt, is_exact=found.salt is None)


def _chosen(asking: Asking, study: StudyMemory, number: int, count: int, *, salt: int | None) -> list[Granted]:
    """Create the next trials at points that the sampler chooses now, once: it may take long."""
    suggestions = points.chosen(asking.replica, study, number, count, salt=salt)
    if not suggestions:
        _exhaust(asking.replica, study)
        return []
    # Whoever took the number may have been given the same point.
    is_exact = salt is None or sampling.finite(study.spec) is not None
    granted = _create_at(asking, study, number, suggestions, salt=salt, is_exact=is_exact)
    return granted or (_late(asking, study, number, suggestions) if is_exact else [])


def _late(asking: Asking, study: StudyMemory, number: int, suggestions: Sequence[sampling.Suggestion]) -> list[Granted]:
    """Create trials at those of the points that no trial was given meanwhile; if there is none left, at a random one.

    Nobody else is given a point while the study's row is locked.
    """
    with asking.granting(study) as (connection, granted):
        place = asks.lock_place(connection, study.study_id)
        if place is None:
            return granted
        seen, salt = points.view(connection, study), secrets.randbits(32)
        left = [(at, each) for at, each in enumerate(suggestions, number) if not sampling.is_used(seen, each.point)]
        if not left:
            drawn = sampling.random_points(study.spec, seen, number=place.number, count=1, salt=salt)
            left = [(place.number, replace(each, fallback=_TAKEN)) for each in drawn]
        drafts = [_draft(study, each, at, salt=salt) for at, each in left]
        granted.extend(_granted(connection, asking, study, drafts))
    if not left:
        _exhaust(asking.replica, study)
    return granted


def _next_of_sequence(asking: Asking, study: StudyMemory, count: int) -> list[Granted]:
    """Create trials at the points whose turn it is: nobody else gets them while the study's row is locked."""
    if is_finite := sampling.finite(study.spec) is not None:
        # Lest a replica that knows nothing of the study reads it all with its row locked.
        with autocommit(asking.replica.engine) as connection:
            study.observe(connection)
    with asking.granting(study) as (connection, granted):
        place = asks.lock_place(connection, study.study_id)
        if place is None:
            return granted
        seen = points.view(connection, study) if is_finite else sampling.View.empty(study.spec, study.dimensions)
        with study.meters.sampling(study.spec.sampler.name):
            suggestions = sampling.in_sequence(study.spec, seen, number=place.number, first=place.sequence, count=count)
        drafts = [_draft(study, each, number) for number, each in enumerate(suggestions, start=place.number)]
        granted.extend(_granted(connection, asking, study, drafts))
    if not suggestions:
        _exhaust(asking.replica, study)
    return granted


def _exhaust(replica: Replica, study: StudyMemory) -> None:
    """Let a study end with the trials that it has. Not in the ask's transaction, of which no answer will be kept."""
    with transaction(replica.engine) as connection:
        is_complete = asks.exhaust(connection, study.study_id, revision=study.revision, reason=TRIED)
    if is_complete:
        _log.info("study %(study)s is complete: %(reason)s", {"study": study.spec.name, "reason": TRIED})
        replica.offers.announce()
        replica.changes.announce()


def _next_of_round(asking: Asking, study: StudyMemory, count: int) -> list[Granted]:
    """Create trials in the space of their round, which the first of them settles while the study's row is locked."""
    with autocommit(asking.replica.engine) as connection:
        observations = study.observe(connection)
    with asking.granting(study) as (connection, granted):
        while len(granted) < count and (place := asks.lock_place(connection, study.study_id)):
            with study.meters.sampling(study.spec.sampler.name):
                draft, current = narrowing.draft(connection, study, observations, place)
            lease = asks.create_trial(
                connection,
                draft,
                study_id=study.study_id,
                revision=study.revision,
                space=current.dimensions,
                holder=asking.holder,
            )
            if lease is None:
                break
            granted.append(lease)
            narrowing.keep(connection, study, current)
    return granted


def _create_at(
    asking: Asking,
    study: StudyMemory,
    number: int,
    suggestions: Sequence[sampling.Suggestion],
    *,
    salt: int | None,
    is_exact: bool,
) -> list[Granted]:
    drafts = [_draft(study, each, at, salt=salt, is_exact=is_exact) for at, each in enumerate(suggestions, number)]
    with asking.granting(study) as (connection, granted):
        granted.extend(_granted(connection, asking, study, drafts))
    return granted


def _draft(
    study: StudyMemory,
    suggestion: sampling.Suggestion,
    number: int,
    *,
    salt: int | None = None,
    is_exact: bool = False,
) -> NewTrial:
    suggestion = controlled(study.spec, study.dimensions, suggestion, number=number, salt=salt)
    if suggestion.fallback:
        study.meters.fell_back(study.spec.sampler.name)
    return NewTrial(
        point=suggestion.point,
        sampled_for=number,
        is_exact=is_exact,
        attributes=suggestion.attributes,
        fallback=suggestion.fallback,
        origin=suggestion.origin,
    )


def _granted(
    connection: sa.Connection, asking: Asking, study: StudyMemory, drafts: Sequence[NewTrial]
) -> Iterator[Granted]:
    """Create and lease the trials, up to the first one that the study does not take."""
    for draft in drafts:
        lease = asks.create_trial(
            connection,
            draft,
            study_id=study.study_id,
            revision=None if study.is_define_by_run else study.revision,
            space=study.dimensions,
            holder=asking.holder,
        )
        if lease is None:
            return
        yield lease
