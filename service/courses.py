"""How studies went on, as far as a replica has seen it: how their trials ended, and when the best value got better.

Nothing here is state: what is forgotten is read again.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from cachetools import LRUCache

from service.storage import courses as stored
from service.storage.courses import Ended

MOST_STUDIES = 1024
MOST_STEPS = 200
"""That are kept of a study: more than a small picture has columns."""


@dataclass(frozen=True)
class Course:
    """How a study went on.

    Args:
        finished: Trials that have ended.
        complete: Of these.
        pruned: Likewise.
        failed: Likewise.
        steps: (how many trials had ended, the best value then) whenever it got better; of very many, some.
    """

    finished: int = 0
    complete: int = 0
    pruned: int = 0
    failed: int = 0
    steps: tuple[tuple[int, float], ...] = ()

    def after(self, ended: Ended) -> "Course":
        """Return the course with what has ended since."""
        return Course(
            finished=ended.last,
            complete=self.complete + ended.complete,
            pruned=self.pruned + ended.pruned,
            failed=self.failed + ended.failed,
            steps=_thinned((*self.steps, *((order, value) for order, value in ended.steps))),
        )


class Courses:
    """The courses of the studies that were looked at lately."""

    def __init__(self) -> None:
        self._courses: LRUCache[int, Course] = LRUCache(MOST_STUDIES)
        self._lock = threading.Lock()

    def read(self, connection: sa.Connection, finished: Mapping[int, int]) -> dict[int, Course]:
        """Return the courses of studies, reading what has ended since they were looked at, in one statement.

        Args:
            connection: To read what is not known.
            finished: How many trials of each study have ended, at least.
        """
        with self._lock:
            courses = {study_id: self._courses.get(study_id, Course()) for study_id in finished}
        behind = {each: course for each, course in courses.items() if course.finished < finished[each]}
        seen = [
            (each, course.finished, course.steps[-1][1] if course.steps else None) for each, course in behind.items()
        ]
        for ended in stored.ended(connection, seen) if seen else ():
            courses[ended.study_id] = behind[ended.study_id].after(ended)
        with self._lock:
            self._courses.update(courses)
        return courses


def _thinned(steps: tuple[tuple[int, float], ...]) -> tuple[tuple[int, float], ...]:
    """Return steps, as few as are kept: with the first, and the last."""
    if len(steps) <= MOST_STEPS:
        return steps
    apart = -(-len(steps) // MOST_STEPS)
    return (*steps[:-1:apart], steps[-1])
