"""Studies as lists show them: each with its course, and with the studies that exist only for it beneath it."""

from collections.abc import Sequence
from dataclasses import dataclass

from service import cursors
from service.courses import Course
from service.database import autocommit
from service.replica import Replica
from service.storage import summaries as stored
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
        is_idle: Trials could be trained, and no worker is there.
    """

    items: Sequence[Summary]
    next: str | None
    is_idle: bool


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
        is_idle = any(_wants_a_worker(row) for row in every) and not stored.is_anybody_there(
            connection, lease_seconds=replica.lease_seconds
        )
    items = [
        Summary(
            row,
            courses[row.study_id],
            [Summary(each, courses[each.study_id], ()) for each in companions if each.parent_id == row.study_id],
        )
        for row in shown
    ]
    return Summaries(items, str(shown[-1].study_id) if len(rows) > limit else None, is_idle)


def _wants_a_worker(row: SummaryRow) -> bool:
    return row.state is StudyState.RUNNING and row.workers == 0
