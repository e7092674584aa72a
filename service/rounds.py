"""Read the rounds of a study that goes from coarse to fine."""

from service.database import autocommit
from service.replica import Replica
from service.storage import rounds, studies
from service.storage.rounds import RoundRow
from trimtab.protocol import Page, Round


def read(replica: Replica, study: str) -> Page[Round]:
    """Return the rounds that have begun, in order; none where the sampler has no rounds.

    Raises:
        StudyNotFound: There is no such study.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        row = studies.require(connection, study)
        found = rounds.read(connection, row.study_id)
    return Page(items=[_round(each) for each in found])


def _round(row: RoundRow) -> Round:
    return Round(
        round=row.index,
        space=row.space,
        alarms=list(row.alarms),
        first_number=row.first_number,
        created_at=row.created_at,
    )
