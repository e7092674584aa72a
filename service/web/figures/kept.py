"""Figures that were drawn lately, each drawn once however many pages ask for it."""

import asyncio
import math
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from cachetools import LRUCache
from starlette.concurrency import run_in_threadpool

from service.side_threads import SideThreads
from service.web.figures.subject import Subject

MOST_KEPT = 64
"""Of a few hundred kB at most each."""

PATIENCE_SECONDS = 10.0
_AT_ONCE = 2
"""Threads of their own: whoever looks at figures keeps nobody from asking for trials."""

_REST = 50
"""Of a study that goes on, a figure is drawn anew after so many times as long as it took: for 2 % of a core."""


@dataclass(frozen=True)
class Kept:
    """A figure as it was drawn.

    Args:
        tag: Of what it was drawn of.
        body: It, as JSON.
        until: Before then it is good enough for a study that goes on.
    """

    tag: str
    body: str
    until: float


class Figures:
    """Looks at studies, draws in threads of its own, and keeps what was drawn.

    All but the drawing happens on the event loop, so nothing is locked.

    Args:
        seconds: After which nobody waits any longer; the figure is drawn to its end nevertheless, for who asks again.
        clock: Seconds that only go forward.
    """

    def __init__(self, *, seconds: float = PATIENCE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._drawn: LRUCache[Hashable, tuple[str, Future[Kept]]] = LRUCache(MOST_KEPT)
        self._looks: dict[str, asyncio.Future[Subject]] = {}
        self._threads = SideThreads(_AT_ONCE, name="figures")

    async def look(self, name: str, look_at: Callable[[], Subject]) -> Subject:
        """Return a study as it is now: one look for all who come meanwhile, since the first one reads every trial."""
        look = self._looks.get(name)
        if look is None:
            look = self._looks[name] = asyncio.ensure_future(run_in_threadpool(look_at))
            look.add_done_callback(lambda _: self._looks.pop(name, None))
        return await asyncio.shield(look)

    async def get(self, key: Hashable, tag: str, draw: Callable[[], str], *, is_final: bool) -> Kept | None:
        """Return a figure, which `draw` draws where it is not there; None: it is still being drawn.

        Args:
            key: Which figure.
            tag: Of what it is drawn of now.
            draw: Draws it.
            is_final: The study has ended: only a figure with this tag will do.
        """
        known = self._drawn.get(key)
        if known is None or not self._is_good(*known, tag, is_final=is_final):
            known = self._drawn[key] = (tag, self._threads.submit(partial(self._draw, tag, draw)))
        try:
            # Who goes away does not take the figure from the others who wait for it.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(known[1])), self._seconds)
        except TimeoutError:
            return None

    def seconds_good(self, kept: Kept) -> int:
        """Return for how long an older figure is good enough."""
        return max(1, math.ceil(kept.until - self._clock()))

    def _draw(self, tag: str, draw: Callable[[], str]) -> Kept:
        begun = self._clock()
        body = draw()
        ended = self._clock()
        return Kept(tag, body, ended + _REST * (ended - begun))

    def _is_good(self, known_tag: str, future: Future[Kept], tag: str, *, is_final: bool) -> bool:
        if future.done() and future.exception() is not None:
            return False
        if known_tag == tag:
            return True
        return not is_final and (not future.done() or self._clock() < future.result().until)
