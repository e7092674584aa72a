"""Writes what the end of a lease makes of its trial, and the end of a trial of its study."""

import sqlalchemy as sa

from service import lifecycle
from service.storage import endings
from service.storage.endings import Ending, LockedStudy
from trimtab.study import StudySpec


def settle(
    connection: sa.Connection,
    study: LockedStudy,
    trial_id: int,
    ending: Ending | None,
    *,
    spec: StudySpec,
    is_lost: bool,
) -> bool:
    """Write the end of a trial; without an ending it goes back to the queue.

    Args:
        connection: In the transaction that locked the study, and closed the lease if there was one.
        study: Locked.
        trial_id: Of the trial.
        ending: Its end.
        spec: Of the study.
        is_lost: The lease ran out.

    Returns:
        Whether that is news for who waits for trials: there is one more, or there will be none.
    """
    if ending is None:
        endings.requeue(connection, trial_id, is_lost=is_lost)
        return True
    after = lifecycle.study_after(study, ending, spec)
    endings.finish(connection, study, trial_id, ending, after)
    return after.state.is_ended
