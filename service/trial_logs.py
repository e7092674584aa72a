"""What trainings wrote: kept line by line while they run, read from a place on."""

import re
from dataclasses import dataclass

import sqlalchemy as sa

from service.calls import after_outage, crowd, look, not_live
from service.database import autocommit
from service.once import UNKEYED, Once
from service.replica import Replica
from service.storage import studies
from service.storage import trial_logs as stored
from service.storage.leases import Reference
from service.storage.trial_logs import BEGINNING, Place
from trimtab.errors import Invalid, TrialNotFound
from trimtab.protocol import FieldProblem, Page
from trimtab.trial_logs import Logged, LogLine, NewLines

_CURSOR = re.compile(r"([0-9]{1,10})-(-1|[0-9]{1,10})")


@after_outage
def keep(replica: Replica, lease: Reference, written: NewLines, *, once: Once = UNKEYED) -> Logged:
    """Record what a training wrote. Twice is the same as once; the lease is not renewed by it.

    Raises:
        LeaseNotFound, LeaseLost, LeaseEnded, StudyDeleted, Forbidden, Unavailable: As for a report.
    """
    answer = Logged(next=written.first + len(written.lines))
    with crowd(replica, lease), once.transaction(replica.engine) as connection:
        if not stored.keep(connection, lease, first=written.first, lines=written.lines):
            raise not_live(look(connection, lease))
        once.keep(connection, answer)
    return answer


@dataclass(frozen=True)
class Asked:
    """Which lines are asked for.

    Args:
        study: By its name.
        number: Of the trial.
        attempt: Only of this one; None: of all.
        tail: Begin with so many lines before the end; None: with the first.
        cursor: Begin after this place instead.
        limit: Lines at most.
        is_followed: Whether there is a next page as long as there may be more to come.
    """

    study: str
    number: int
    attempt: int | None
    tail: int | None
    cursor: str | None
    limit: int
    is_followed: bool


def page(replica: Replica, asked: Asked) -> Page[LogLine]:
    """Return lines of a trial, in their order.

    Raises:
        StudyNotFound: There is no such study.
        TrialNotFound: It has no trial of that number.
        Invalid: The cursor is none of ours.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        # Whether it has ended, and then its lines: of one that has, all of them are there.
        trial = stored.trial(connection, asked.study, asked.number)
        if trial is None:
            studies.require(connection, asked.study)
            raise TrialNotFound(f"study {asked.study!r} has no trial {asked.number}")
        after = _beginning(connection, trial.trial_id, asked)
        rows = stored.page(connection, trial.trial_id, attempt=asked.attempt, after=after, limit=asked.limit + 1)
    items = [LogLine(**row) for row in rows[: asked.limit]]
    last = Place(items[-1].fence, items[-1].line) if items else after
    has_more = len(rows) > asked.limit or (asked.is_followed and trial.is_growing)
    return Page(items=items, next=f"{last.fence}-{last.line}" if has_more else None)


def _beginning(connection: sa.Connection, trial_id: int, asked: Asked) -> Place:
    if asked.cursor is not None:
        return _place(asked.cursor)
    if asked.tail is not None:
        return stored.before_tail(connection, trial_id, attempt=asked.attempt, tail=asked.tail)
    return BEGINNING


def _place(cursor: str) -> Place:
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        problem = FieldProblem(field="cursor", message="is not one that this list gave")
        raise Invalid("the cursor is not valid", errors=[problem])
    return Place(int(found[1]), int(found[2]))
