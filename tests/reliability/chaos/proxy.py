"""A TCP proxy between workers and replicas that does what networks do: cuts, delays, sends twice, is dark."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from random import Random
from typing import Self

from tests.reliability.chaos import wire
from tests.reliability.chaos.wire import OK, HttpMessage

LONGEST_DELAY_SECONDS = 0.3
LONGEST_REPEAT_SECONDS = 0.5
SHOWN = 200


class Mishap(StrEnum):
    """What may become of a request."""

    NONE = "none"
    CUT_BEFORE = "cut before it arrived"
    CUT_AFTER = "cut before its answer"
    CUT_AWAY = "cut off from the replica too"
    DELAYED = "delayed"
    TWICE_AT_ONCE = "sent twice at once"
    TWICE_LATER = "sent again later"
    DARK = "lost in the dark"


RATES: Mapping[Mishap, float] = {
    Mishap.CUT_BEFORE: 0.01,
    Mishap.CUT_AFTER: 0.015,
    Mishap.CUT_AWAY: 0.005,
    Mishap.DELAYED: 0.02,
    Mishap.TWICE_AT_ONCE: 0.015,
    Mishap.TWICE_LATER: 0.015,
}
"""The share of the requests that each befalls."""


class Proxy:
    """A proxy on a port of its own, served by a thread of its own.

    Args:
        replicas: The ports of the replicas. Each request goes to any of them that is there.
        chance: Draws the mishaps.
    """

    def __init__(self, replicas: Sequence[int], chance: Random) -> None:
        self._replicas = replicas
        self._chance = chance
        self._dark_until = 0.0
        self._is_calm = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        # The loop itself holds tasks weakly.
        self._tasks: set[asyncio.Task[None]] = set()
        self.counted: Counter[Mishap] = Counter()
        self.differences: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._accept, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        """End, whatever is under way."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def go_dark(self, seconds: float) -> None:
        """Let nothing through for a while."""
        self._dark_until = time.monotonic() + seconds

    def calm(self) -> None:
        """Let everything through from now on."""
        self._dark_until = 0.0
        self._is_calm = True

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Each connection is closed in a turn of the loop of its own.
        await asyncio.sleep(0.01)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._hold(asyncio.create_task(self._serve(reader, writer)))

    def _hold(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, EOFError, asyncio.CancelledError):
            while answer := await self._answer(await wire.read(reader)):
                writer.write(answer.raw)
                await writer.drain()
        writer.transport.abort()

    async def _answer(self, request: HttpMessage) -> HttpMessage | None:
        """Return the answer to a request; None: the connection is cut."""
        if (dark := self._dark_until - time.monotonic()) > 0:
            self.counted[Mishap.DARK] += 1
            await asyncio.sleep(dark)
            return None
        mishap = self._draw(request)
        self.counted[mishap] += 1
        return await self._ways[mishap](self, request)

    def _draw(self, request: HttpMessage) -> Mishap:
        if self._is_calm:
            return Mishap.NONE
        drawn = self._chance.choices([*RATES, Mishap.NONE], [*RATES.values(), 1 - sum(RATES.values())])[0]
        is_double = drawn in {Mishap.TWICE_AT_ONCE, Mishap.TWICE_LATER}
        return Mishap.NONE if is_double and not request.is_repeatable else drawn

    async def _pass(self, request: HttpMessage) -> HttpMessage | None:
        """Return the answer of any replica; None: there is no replica, or it went away."""
        for port in self._chance.sample(self._replicas, len(self._replicas)):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            try:
                writer.write(request.raw)
                return await wire.read(reader)
            except (OSError, EOFError):
                return None
            finally:
                writer.transport.abort()
        return None

    async def _cut_before(self, _: HttpMessage) -> None:
        return None

    async def _cut_after(self, request: HttpMessage) -> None:
        await self._pass(request)

    async def _cut_away(self, request: HttpMessage) -> None:
        passing = asyncio.create_task(self._pass(request))
        await asyncio.wait([passing], timeout=self._chance.random() * 0.01)
        passing.cancel()

    async def _delayed(self, request: HttpMessage) -> HttpMessage | None:
        await asyncio.sleep(self._chance.random() * LONGEST_DELAY_SECONDS)
        return await self._pass(request)

    async def _twice_at_once(self, request: HttpMessage) -> HttpMessage | None:
        first, second = await asyncio.gather(self._pass(request), self._pass(request))
        self._compare(request, first, second)
        # An empty answer to an ask is not kept: the other request may have been given a lease.
        return second if first is None or (request.is_ask and second and second.has_leases) else first

    async def _twice_later(self, request: HttpMessage) -> HttpMessage | None:
        first = await self._pass(request)
        if first and (not request.is_ask or first.has_leases):
            self._hold(asyncio.create_task(self._again(request, first)))
        return first

    async def _again(self, request: HttpMessage, first: HttpMessage) -> None:
        await asyncio.sleep(self._chance.random() * LONGEST_REPEAT_SECONDS)
        self._compare(request, first, await self._pass(request))

    def _compare(self, request: HttpMessage, first: HttpMessage | None, second: HttpMessage | None) -> None:
        """Two answers to one request are the same answer, but a heartbeat's, which says how things are."""
        answers = [answer for answer in (first, second) if answer and answer.status == OK]
        if request.is_ask:
            answers = [answer for answer in answers if answer.has_leases]
        if b"/heartbeat " in request.head or len(answers) < 2:
            return
        if answers[0].sense != answers[1].sense:
            first_line = request.head.split(b"\r\n")[0].decode()
            self.differences.append(f"{first_line}: {' then '.join(str(answer.body[:SHOWN]) for answer in answers)}")

    _ways: Mapping[Mishap, Callable[["Proxy", HttpMessage], Awaitable[HttpMessage | None]]] = {
        Mishap.NONE: _pass,
        Mishap.CUT_BEFORE: _cut_before,
        Mishap.CUT_AFTER: _cut_after,
        Mishap.CUT_AWAY: _cut_away,
        Mishap.DELAYED: _delayed,
        Mishap.TWICE_AT_ONCE: _twice_at_once,
        Mishap.TWICE_LATER: _twice_later,
    }
