"""One reader of the database for all who watch a study here, while anybody does.

database <--a look every so often-- Feed of a study --what has happened--> Listener, Listener, ...
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import sqlalchemy as sa

from service import happenings
from service.changes import Changes
from service.happenings import Happening
from service.storage.happenings import Look
from trimtab.errors import Unavailable

LOOK_SECONDS = 0.7
"""Between two looks: what was changed anywhere arrives within a second."""

PATIENCE_SECONDS = 5.0
"""Without an answer of the database, until the listeners are let go, who come back and hear why: longer than PostgreSQL
takes to restart and two looks wait for a connection, and no longer than a page may pass off as live what was."""

MOST_WAITING = 64
"""Looks with something new that a listener may be behind: who is behind by more than half a minute is let go."""

_log = logging.getLogger(__name__)


class Listener:
    """Somebody who is told what happens in a study, from when he came."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[Sequence[Happening]] = asyncio.Queue(MOST_WAITING)
        self._is_let_go = False

    def tell(self, happened: Sequence[Happening]) -> None:
        """Tell of something, unless he has not listened for too long."""
        try:
            self._waiting.put_nowait(happened)
        except asyncio.QueueFull:
            self._is_let_go = True

    def let_go(self) -> None:
        """Tell that there will be no more."""
        self.tell(())

    async def next(self) -> Sequence[Happening]:
        """Return what has happened next; nothing, when there will be no more."""
        return () if self._is_let_go else await self._waiting.get()


class Feed:
    """What happens in a study, for all who listen here. For use on one event loop.

    Args:
        engine: To the database.
        study_id: Of the study.
        streams: Closes with the replica.
    """

    def __init__(self, engine: sa.Engine, study_id: int, streams: Changes) -> None:
        self._engine = engine
        self._study_id = study_id
        self._streams = streams
        self._has_looked = asyncio.Event()
        self.listeners: set[Listener] = set()
        self.is_over = False
        self._task = asyncio.create_task(self._run())

    async def begun(self) -> None:
        """Return when it has looked once: what happens from now on is told."""
        await self._has_looked.wait()

    def stop(self) -> None:
        """Look no more."""
        self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._look_on()
        except TimeoutError:
            said = {"study": self._study_id, "seconds": PATIENCE_SECONDS}
            _log.warning("no look at study %(study)s for %(seconds)g s: whoever watches it is let go", said)
        except Exception:  # noqa: BLE001  # whatever it is, nobody is left waiting
            _log.exception("study %s is not watched any more", self._study_id)
        finally:
            self.is_over = True
            self._has_looked.set()
            for listener in self.listeners:
                listener.let_go()

    async def _look_on(self) -> None:
        seen: Look | None = None
        while not self._streams.is_closing:
            seen, happened = await self._look(seen)
            if happened:
                self._tell(happened)
            if seen is None or seen.is_over:
                return
            self._has_looked.set()
            await self._pause()

    async def _look(self, seen: Look | None) -> tuple[Look | None, Sequence[Happening]]:
        """Look, and where the database is away again, until it answers or the replica goes down.

        Raises:
            TimeoutError: It has not answered for too long.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not self._streams.is_closing:
                with suppress(Unavailable):
                    return await asyncio.to_thread(happenings.since, self._engine, self._study_id, seen)
                await self._pause()
        return seen, ()

    def _tell(self, happened: Sequence[Happening]) -> None:
        for listener in self.listeners:
            listener.tell(happened)

    async def _pause(self) -> None:
        """Wait for the next look, or until the replica goes down."""
        with self._streams.awaited() as closing:
            if not self._streams.is_closing:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await closing.wait()


class Feeds:
    """The feeds of a replica: one for each study that is watched.

    Args:
        engine: To the database.
        streams: Closes with the replica.
    """

    def __init__(self, engine: sa.Engine, streams: Changes) -> None:
        self._engine = engine
        self._streams = streams
        self._feeds: dict[int, Feed] = {}

    @asynccontextmanager
    async def listener(self, study_id: int) -> AsyncIterator[Listener]:
        """Give somebody who is told all that happens in a study from now on."""
        feed = self._feeds.get(study_id)
        if feed is None or feed.is_over:
            feed = self._feeds[study_id] = Feed(self._engine, study_id, self._streams)
        listener = Listener()
        feed.listeners.add(listener)
        try:
            await feed.begun()
            yield listener
        finally:
            feed.listeners.discard(listener)
            if not feed.listeners:
                feed.stop()
                if self._feeds.get(study_id) is feed:
                    del self._feeds[study_id]
