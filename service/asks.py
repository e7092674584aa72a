"""Ask: a worker gets trials. Sampling comes first, outside any transaction; one transaction does the rest."""

import logging
import secrets
from collections.abc import Sequence

from service import sampling
from service.database import autocommit, is_held, transaction
from service.memory import Progress, StudyMemory
from service.replica import Replica
from service.storage import asks, finished, studies
from service.storage.asks import Candidate, Granted, Holder
from service.storage.dimensions import Point, params
from trimtab.errors import Unavailable
from trimtab.protocol import Ask, Lease, Leases
from trimtab.states import NoLease, StudyState

_log = logging.getLogger(__name__)

_REASONS = {
    StudyState.PAUSED: NoLease.PAUSED,
    StudyState.COMPLETE: NoLease.STUDY_ENDED,
    StudyState.STOPPED: NoLease.STUDY_ENDED,
}


def ask(replica: Replica, wanted: Ask, *, is_noted: bool = False) -> Leases:
    """Give a worker up to `wanted.count` trials of one study, each with a lease; do not wait.

    A trial that waits for its next attempt goes first.

    Args:
        replica: That serves.
        wanted: What the worker wants.
        is_noted: It was noted a moment ago that the worker is there.

    Raises:
        StudyNotFound: There is no study of the name that was asked for.
        Unavailable: The database is away or busy.
    """
    holder = Holder(wanted.worker, wanted.host, wanted.device, replica.lease_seconds)
    with autocommit(replica.engine) as connection:
        study = studies.require(connection, wanted.study) if wanted.study else None
        found = asks.candidates(connection, study_id=study.study_id if study else None, tasks=wanted.tasks)
    if leases := _first(replica, found, holder, wanted.count):
        return Leases(leases=leases)
    if not is_noted:
        with autocommit(replica.engine) as connection:
            asks.seen(connection, holder)
    return Leases(leases=[], reason=_REASONS.get(study.state, NoLease.NOTHING_NOW) if study else NoLease.NOTHING_NOW)


def _first(replica: Replica, found: Sequence[Candidate], holder: Holder, count: int) -> list[Lease]:
    """Return leases of the first study that has any.

    A study that somebody holds, or that something is wrong with, is passed over if another has a trial.
    """
    failure: Exception | None = None
    for candidate in found:
        try:
            if leases := _from_study(replica, candidate, holder, count):
                return leases
        except Exception as error:  # one bad study must not keep workers from the others
            if isinstance(error, Unavailable) and not is_held(error):
                raise
            _log.warning("study %s was passed over: %r", candidate.study_id, error)
            failure = error
    if failure:
        raise failure
    return []


def _from_study(replica: Replica, candidate: Candidate, holder: Holder, count: int) -> list[Lease]:
    with autocommit(replica.engine) as connection:
        study = replica.memory.study(connection, candidate.study_id)
    if study is None:
        return []
    granted = _waiting(replica, study, holder, count) if candidate.has_waiting else []
    granted = granted or _new(replica, study, holder, candidate.created, count)
    for lease in granted:
        replica.memory.note(lease.lease_id, Progress(study.study_id))
    return [_lease(study, lease, replica.lease_seconds) for lease in granted]


def _waiting(replica: Replica, study: StudyMemory, holder: Holder, count: int) -> list[Granted]:
    granted: list[Granted] = []
    with transaction(replica.engine) as connection:
        while len(granted) < count:
            lease = asks.lease_waiting(connection, study_id=study.study_id, holder=holder)
            if lease is None:
                break
            granted.append(lease)
        asks.seen(connection, holder)
    return granted


def _new(replica: Replica, study: StudyMemory, holder: Holder, number: int, count: int) -> list[Granted]:
    """Create trials from `number` on, at points that no other ask was given.

    One ask at a time gets the point of its number. Where several come at once, one of them does and the others get
    points drawn with salt: had they all sampled for the same number, all would have the same point.
    """
    count = min(count, study.spec.budget.trials - number)
    if count <= 0:
        return []
    with study.asking() as is_alone:
        granted = _create(replica, study, holder, number, count, salt=None) if is_alone else []
        return granted or _create(replica, study, holder, number, count, salt=secrets.randbits(32))


def _create(
    replica: Replica, study: StudyMemory, holder: Holder, number: int, count: int, *, salt: int | None
) -> list[Granted]:
    points = _suggestions(replica, study, number, count, salt=salt)
    granted: list[Granted] = []
    with transaction(replica.engine) as connection:
        for position, point in enumerate(points):
            lease = asks.create_trial(
                connection,
                study_id=study.study_id,
                space=study.dimensions,
                point=point,
                sampled_for=number + position,
                is_exact=salt is None,
                holder=holder,
            )
            if lease is None:
                break
            granted.append(lease)
        asks.seen(connection, holder)
    return granted


def _suggestions(replica: Replica, study: StudyMemory, number: int, count: int, *, salt: int | None) -> Sequence[Point]:
    """Return `count` points from trial `number` on, each chosen with those before it counted as running."""
    with autocommit(replica.engine) as connection:
        # The unfinished ones first: a trial that ends in between is then seen twice, and dropped once.
        unfinished = finished.unfinished(connection, study.study_id)
        observations = study.observe(connection)
    ended = set(observations.numbers_N.tolist())
    open_points = [sampling.OpenPoint(t.number, t.point) for t in unfinished if t.number not in ended]
    points: list[Point] = []
    for position in range(number, number + count):
        view = sampling.View(study.dimensions, study.objective.direction, observations, tuple(open_points))
        points.append(sampling.suggest(study.spec, view, number=position, salt=salt))
        open_points.append(sampling.OpenPoint(position, points[-1]))
    return points


def _lease(study: StudyMemory, granted: Granted, lease_seconds: float) -> Lease:
    return Lease(
        id=str(granted.lease_id),
        fence=granted.fence,
        study=study.spec.name,
        trial=granted.number,
        attempt=granted.attempt,
        task=study.spec.task,
        params=params(study.dimensions, granted.point),
        seed=sampling.training_seed(study.spec.sampler.seed, granted.number),
        limits=study.spec.limits,
        expires_in=lease_seconds,
        expires_at=granted.expires_at,
    )
