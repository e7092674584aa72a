"""Figures that were drawn lately, each drawn once however many pages ask for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from trimtab.errors import Unavailable

MOST_KEPT = 64
"""Of a few hundred kB at most each."""

PATIENCE_SECONDS = 10.0
_RETRY_SECONDS = 5
_AT_ONCE = 2
"""Threads of their own: whoever looks at figures keeps nobody from asking for trials."""


class Figures:
    """Draws in threads of its own, and keeps what was drawn.

    All but the drawing happens on the event loop, so nothing is locked.

    Args:
        seconds: After which nobody waits any longer; the figure is drawn to its end nevertheless, for who asks again.
    """

    def __init__(self, *, seconds: float = PATIENCE_SECONDS) -> None:
        self._seconds = seconds
        self._drawn: OrderedDict[Hashable, Future[str]] = OrderedDict()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="figures")

    async def get(self, key: Hashable, draw: Callable[[], str]) -> str:
        """Return the figure of a key, which `draw` draws where it is not there.

        Raises:
            Unavailable: It takes too long.
        """
        if (future := self._drawn.get(key)) is None or _has_failed(future):
            future = self._drawn[key] = self._threads.submit(draw)
        self._drawn.move_to_end(key)
        while len(self._drawn) > MOST_KEPT:
            self._drawn.popitem(last=False)
        try:
            # Who goes away does not take the figure from the others who wait for it.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), self._seconds)
        except TimeoutError:
            raise Unavailable("the figure takes long to draw; ask again", retry_after=_RETRY_SECONDS) from None


def _has_failed(future: Future[str]) -> bool:
    return future.done() and future.exception() is not None
