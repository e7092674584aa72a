"""Ends leases that are over and studies whose time is up, in the background of every replica, whoever else calls."""

import logging

from service import closing, lifecycle
from service.database import Held, autocommit, transaction
from service.replica import Replica
from service.settling import settle
from service.storage import closings, lease_ends, locks
from trimtab.errors import Unavailable
from trimtab.states import TrialState

INTERVAL_SECONDS = 1.0
"""A lease is over at most this long after its time, and the time that the sweep itself takes."""

_log = logging.getLogger(__name__)


def sweep(replica: Replica) -> int:
    """End each lease that has run out or is past a limit, the oldest first; return how many.

    Before that, let studies come to their end that have used up what time their budget gives.

    A study that somebody holds, or that something is wrong with, is left for the next time and holds up no other.

    Raises:
        Unavailable: The database is away or busy.
    """
    held: set[int] = set()
    _close(replica)
    ended = 0
    while over := _over(replica, but=held):
        for lease_id, study_id in over:
            if study_id not in held:
                ended += _end_or_leave(replica, lease_id, study_id, held)
    if ended:
        replica.offers.announce()
        replica.changes.announce()
    return ended


def _close(replica: Replica) -> None:
    with autocommit(replica.engine) as connection:
        used_up = closings.used_up(connection)
    for study_id in used_up:
        try:
            closing.close(replica, study_id, in_a_hurry=True)
        except Held:
            _log.warning("study %(study_id)s has used up its budget, but somebody holds it", {"study_id": study_id})
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001  # whatever is wrong with one study, the others end
            _log.exception("study %(study_id)s has used up its budget, but cannot be ended", {"study_id": study_id})


def _over(replica: Replica, *, but: set[int]) -> list[tuple[int, int]]:
    with autocommit(replica.engine) as connection:
        return lease_ends.over(connection, but=but)


def _end_or_leave(replica: Replica, lease_id: int, study_id: int, held: set[int]) -> bool:
    try:
        return _end(replica, lease_id)
    except Held:
        _log.warning("lease %(lease)s is over, but somebody holds its study", {"lease": lease_id})
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001  # whatever is wrong with one study, the leases of the others end
        _log.exception("lease %(lease)s is over, but cannot be ended", {"lease": lease_id})
    held.add(study_id)
    return False


def _end(replica: Replica, lease_id: int) -> bool:
    with transaction(replica.engine) as connection:
        locks.hurry(connection)
        study = locks.lock_study(connection, lease_id)
        known = replica.memory.study(connection, study.study_id) if study else None
        closed = lease_ends.close_over(connection, lease_id) if known else None
        if study is None or known is None or closed is None:
            return False
        losses = lease_ends.losses(connection, closed.trial_id)
        ending = lifecycle.ending_by_silence(closed, known.spec, losses)
        settle(connection, study, closed.trial_id, ending, spec=known.spec, is_lost=True)
    state = ending.state if ending else TrialState.WAITING
    replica.meters.lease_ended(closed.outcome, state)
    said = {
        "lease": lease_id,
        "trial": closed.number,
        "study": known.spec.name,
        "outcome": closed.outcome,
        "reason": closed.message,
        "state": state,
    }
    _log.info("lease %(lease)s on trial %(trial)s of %(study)s: %(reason)s: %(state)s", said)
    return True
