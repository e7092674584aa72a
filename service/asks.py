"""Ask: a worker gets trials. Sampling comes first, outside any transaction; one transaction does the rest."""

import logging
from collections.abc import Sequence

from service import new_trials, points
from service.asking import Asking
from service.database import Held, autocommit
from service.memory import Progress, StudyMemory
from service.once import UNKEYED, Once, Replayed
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.storage import asks, studies
from service.storage.asks import Candidate, Granted, Holder
from trimtab.errors import Refused
from trimtab.protocol import Ask, Leases
from trimtab.states import NoLease, StudyState

_log = logging.getLogger(__name__)

_REASONS = {
    StudyState.PAUSED: NoLease.PAUSED,
    StudyState.COMPLETE: NoLease.STUDY_ENDED,
    StudyState.STOPPED: NoLease.STUDY_ENDED,
}


def ask(
    replica: Replica, wanted: Ask, *, principal: Principal = OPERATOR, is_noted: bool = False, once: Once = UNKEYED
) -> Leases:
    """Give a worker up to `wanted.count` trials of one study, each with a lease; do not wait.

    A trial that waits for its next attempt goes first.

    Args:
        replica: That serves.
        wanted: What the worker wants.
        principal: Whose the leases are.
        is_noted: It was noted a moment ago that the worker is there.
        once: The request.

    Raises:
        StudyNotFound: There is no study of the name that was asked for.
        Unavailable: The database is away or busy.
    """
    holder = Holder(
        wanted.worker,
        wanted.host,
        wanted.device,
        replica.lease_seconds,
        principal.token_id,
        wanted.device_memory,
        wanted.tasks,
    )
    with autocommit(replica.engine) as connection:
        study = studies.require(connection, wanted.study) if wanted.study else None
        study_id = study.study_id if study else None
        found = asks.candidates(connection, study_id=study_id, tasks=wanted.tasks, purposes=wanted.purposes)
        # After the look: if the first ask with this key took the last trial in between, its answer is there now.
        once.replay(connection)
    if leases := _first(Asking(replica, holder, wanted.count, once), found):
        return leases
    if not is_noted:
        with autocommit(replica.engine) as connection:
            asks.seen(connection, holder)
    return Leases(leases=[], reason=_REASONS.get(study.state, NoLease.NOTHING_NOW) if study else NoLease.NOTHING_NOW)


def _first(asking: Asking, found: Sequence[Candidate]) -> Leases | None:
    """Return leases of the first study that has any.

    A study that somebody holds, or that something is wrong with, is passed over if another has a trial.
    """
    failure: Exception | None = None
    for candidate in found:
        try:
            if leases := _from_study(asking, candidate):
                return leases
        except Held as error:
            failure = _passed_over(candidate, error)
        except (Replayed, Refused):
            raise
        except Exception as error:  # noqa: BLE001  # one bad study must not keep workers from the others
            failure = _passed_over(candidate, error)
    if failure:
        raise failure
    return None


def _passed_over(candidate: Candidate, error: Exception) -> Exception:
    said = {"study_id": candidate.study_id, "error": repr(error)}
    _log.warning("study %(study_id)s was passed over: %(error)s", said)
    return error


def _from_study(asking: Asking, candidate: Candidate) -> Leases | None:
    replica = asking.replica
    with autocommit(replica.engine) as connection:
        study = replica.memory.study(connection, candidate.study_id, revision=candidate.revision)
    if study is None:
        return None
    granted = _waiting(asking, study) if candidate.has_waiting else []
    granted = granted or new_trials.create(asking, study, candidate)
    for lease in granted:
        replica.memory.note(lease.lease_id, _progress(study, lease))
        study.stock.began(lease.lease_id)
        said = {
            "lease": lease.lease_id,
            "trial": lease.number,
            "study": study.spec.name,
            "attempt": lease.attempt,
            "worker": asking.holder.worker,
        }
        _log.info("lease %(lease)s on trial %(trial)d of %(study)s: to %(worker)s", said)
    if not granted:
        return None
    points.prepare(replica, study)
    return asking.answer(study, granted)


def _progress(study: StudyMemory, lease: Granted) -> Progress:
    if lease.checkpoint is None:
        return Progress.at_start(study.study_id, lease.number)
    return Progress(study.study_id, lease.number, lease.checkpoint.step, lease.best)


def _waiting(asking: Asking, study: StudyMemory) -> list[Granted]:
    with asking.granting(study) as (connection, granted):
        while len(granted) < asking.count:
            lease = asks.lease_waiting(connection, study_id=study.study_id, holder=asking.holder)
            if lease is None:
                break
            granted.append(lease)
    return granted
