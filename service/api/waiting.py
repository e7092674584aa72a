"""Long polls: try, and try again when something may have changed, until an answer or the end of the wait."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.api.watched import waited
from service.changes import Changes

POLL_SECONDS = 1.0
"""Changes made through other replicas, and leases that run out, are noticed this late at most."""

Answer = TypeVar("Answer")


async def until(
    request: Request,
    changes: Changes,
    attempt: Callable[[], Answer],
    is_news: Callable[[Answer], bool],
    *,
    seconds: float,
) -> Answer:
    """Return the first answer of `attempt` that is news; after `seconds`, or if the replica goes down, the last one.

    No thread and no connection is held while it waits. A caller that has gone is not served any more.

    Raises:
        Unauthorized: The caller's token was revoked meanwhile.
    """
    deadline = time.monotonic() + seconds
    while True:
        with changes.awaited() as changed:
            answer = await run_in_threadpool(attempt)
            left = deadline - time.monotonic()
            if is_news(answer) or left <= 0 or changes.is_closing or await request.is_disconnected():
                return answer
            with waited(request.scope), suppress(TimeoutError):
                async with asyncio.timeout(min(left, POLL_SECONDS)):
                    await changed.wait()
            if await request.is_disconnected():
                return answer
            await request.scope["recognise"]()
