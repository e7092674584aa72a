"""Answers that took long and hold until another trial of their study has ended."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from cachetools import LRUCache

from service.side_threads import SideThreads

MOST = 64
"""Answers, of at most 200 KB each: the oldest are forgotten."""

_AT_ONCE = 2
"""Threads of their own: whoever looks at studies keeps nobody from asking for trials."""

Answer = TypeVar("Answer")


class Kept:
    """What a replica has made of studies, by whose it is and how far the study was. None of it is state.

    All but the making happens on the event loop, so nothing is locked, and whoever waits takes no thread.
    """

    def __init__(self) -> None:
        self._answers: LRUCache[tuple[str, int], tuple[int, Future[Any]]] = LRUCache(MOST)
        self._threads = SideThreads(_AT_ONCE, name="kept")

    async def get(self, kind: str, study_id: int, *, finished: int, make: Callable[[], Answer]) -> Answer:
        """Return an answer, made anew where trials of the study have ended since the last one was.

        Args:
            kind: Of the answer: its name.
            study_id: Of the study.
            finished: How many of its trials have ended.
            make: Makes the answer, for all who ask meanwhile; whatever it raises, the next who asks makes it.
        """
        known, future = self._answers.get((kind, study_id), (-1, None))
        if future is None or known != finished or _has_failed(future):
            future = self._threads.submit(make)
            self._answers[kind, study_id] = (finished, future)
        # Who goes away does not take the answer from the others who wait for it.
        answer: Answer = await asyncio.shield(asyncio.wrap_future(future))
        return answer

    def close(self) -> None:
        """Make nothing any more."""
        self._threads.close()


def _has_failed(future: Future[Any]) -> bool:
    return future.done() and future.exception() is not None
