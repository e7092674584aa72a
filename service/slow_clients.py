"""Cuts off clients that are too slow; uvicorn by itself waits for ever for the rest of a request.

A client that is waited for holds a socket and what it has sent so far: no thread, and no connection of the database.
"""

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LOOK_SECONDS = 1.0

HEAD_SECONDS = 10.0
"""For a request's line and headers, from when the connection is made or the answer before is sent."""

STALL_SECONDS = 30.0
"""For the next STEP_BYTES of a body, or for its end; for the client to read any more of an answer."""

STEP_BYTES = 65_536

MAX_HEAD_BYTES = 65_536
"""Of a request's line and headers: what h11 allows; httptools has no limit."""

_log = logging.getLogger(__name__)


class Guarded(HttpToolsProtocol):
    """One connection, cut off if nothing moves on it that should."""

    _received = 0
    _head_began = 0
    _is_in_head = False
    _seen: tuple[object, ...] = ()
    _since = 0.0
    _look_again: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to look."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more."""
        self._look_again.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Note where the head begins."""
        self._head_began = self._received
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that the head ends."""
        self._is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count what comes."""
        self._received += len(data)
        super().data_received(data)
        if self._is_in_head and self._received - self._head_began > MAX_HEAD_BYTES:
            self._cut_off("the head of a request is too large")

    def _look(self) -> None:
        now = self.loop.time()
        limit, *seen = self._progress()
        if tuple(seen) != self._seen:
            self._seen, self._since = tuple(seen), now
        if now - self._since >= limit:
            self._cut_off("the client is too slow")
        else:
            self._look_again = self.loop.call_later(LOOK_SECONDS, self._look)

    def _progress(self) -> tuple[float, *tuple[Any, ...]]:
        """Return how long what follows may stay the same: what is waited for, and how far it is."""
        if unread := self.transport.get_write_buffer_size():
            return STALL_SECONDS, "answer", unread
        if self.cycle is None or self.cycle.response_complete:
            return HEAD_SECONDS, "head", self.cycle
        if self.cycle.more_body and not self.flow.read_paused:
            return STALL_SECONDS, "body", self.cycle, (self._received - self._head_began) // STEP_BYTES
        return float("inf"), "service"

    def _cut_off(self, reason: str) -> None:
        _log.info("cut off %(client)s: %(reason)s", {"client": self.client, "reason": reason})
        self._look_again.cancel()
        self.transport.abort()
