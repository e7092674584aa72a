"""Studies as lists show them: each with its course, and with the studies that exist only for it beneath it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from service import cursors
from service.courses import Course
from service.database import autocommit
from service.replica import Replica
from service.storage import summaries as stored
from service.storage import tasks
from service.storage.summaries import SummaryRow
from trimtab.states import StudyState


@dataclass(frozen=True)
class Summary:
    """A study in a list.

    Args:
        row: As it is.
        course: How it went on.
        companions: Its checks, confirmations and final models, oldest first.
    """

    row: SummaryRow
    course: Course
    companions: Sequence["Summary"]

    @property
    def used(self) -> int:
        """How many of the trials of its budget have ended."""
        return max(0, self.course.finished - self.row.added)


@dataclass(frozen=True)
class Summaries:
    """A page of studies.

    Args:
        items: The newest first.
        next: Where the next page begins; None: this is the last one.
        missing: Tasks that studies wait for, and that no worker that is alive has.
    """

    items: Sequence[Summary]
    next: str | None
    missing: Sequence[str]


def page(replica: Replica, *, state: StudyState | None, tag: str | None, cursor: str | None, limit: int) -> Summaries:
    """Return a page of the studies that search, the newest first.

    A study is in a state if it is, or a study that exists only for it.

    Raises:
        Invalid: The cursor is none of ours.
        Unavailable: The database is away or busy.
    """
    before = cursors.integer(cursor)
    with autocommit(replica.engine) as connection:
        rows = stored.newest(connection, state=state, tag=tag, before=before, limit=limit + 1)
        shown = rows[:limit]
        companions = stored.companions(connection, [row.study_id for row in shown]) if shown else []
        every = [*shown, *companions]
        courses = replica.courses.read(connection, {row.study_id: row.finished for row in every})
        missing = _missing(connection, every, lease_seconds=replica.lease_seconds)
    items = [
        Summary(
            row,
            courses[row.study_id],
            [Summary(each, courses[each.study_id], ()) for each in companions if each.parent_id == row.study_id],
        )
        for row in shown
    ]
    return Summaries(items, str(shown[-1].study_id) if len(rows) > limit else None, missing)


def _missing(connection: sa.Connection, rows: Iterable[SummaryRow], *, lease_seconds: float) -> list[str]:
    """Return the tasks that nobody trains; a study without one waits for no worker."""
    waiting = {row.task for row in rows if row.task and row.state is StudyState.RUNNING and row.workers == 0}
    return sorted(waiting - tasks.alive(connection, lease_seconds=lease_seconds)) if waiting else []
