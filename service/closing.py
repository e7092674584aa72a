"""Lets a study come to its end whose budget is used up, whoever notices it first."""

import logging

from service.database import transaction
from service.replica import Replica
from service.settling import close_if_due
from service.storage import locks

_log = logging.getLogger(__name__)


def close(replica: Replica, study_id: int, *, in_a_hurry: bool = False) -> bool:
    """Let a study come to its end if its budget says so; return whether it does by that. Twice is the same as once.

    Args:
        replica: That notices it.
        study_id: Of the study.
        in_a_hurry: Give up soon where somebody holds it.

    Raises:
        Unavailable: The database is away or busy.
    """
    with transaction(replica.engine) as connection:
        if in_a_hurry:
            locks.hurry(connection)
        known = replica.memory.study(connection, study_id)
        is_closed = known is not None and close_if_due(connection, study_id, spec=known.spec)
    if is_closed and known:
        _log.info("study %(study)s comes to its end", {"study": known.spec.name})
        replica.changes.announce()
        replica.offers.announce()
    return is_closed
