"""/v1/studies/{name}/events: a stream of server-sent events."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service import happenings
from service.api.dependencies import ReplicaDep, StudyName
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.feeds import Feeds, Listener
from service.principals import Scope
from service.replica import Replica
from trimtab import errors
from trimtab.errors import Unauthorized, Unavailable

KEEP_ALIVE_SECONDS = 15.0
"""Without an event: so that whoever is between the two does not take the connection for dead."""

RECOGNISE_SECONDS = 2.0
"""Between two looks whether the token was revoked."""

_KEEP_ALIVE = b":\n\n"

# Nothing between the two may keep events, be it to answer others or to send them on together.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

router = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=ScopedRoute)

GivenLast = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID", pattern="^[0-9]{1,9}$", description="The last id heard: what ended since comes first."
    ),
]


async def _feeds(request: Request) -> Feeds:
    feeds: Feeds = request.app.state.feeds
    return feeds


@router.get(
    "/{name}/events",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
            "description": "Events, as they happen.",
        },
        **problems(errors.StudyNotFound),
    },
)
@needs(Scope.READ)
async def read_events(
    request: Request,
    name: StudyName,
    replica: ReplicaDep,
    feeds: Annotated[Feeds, Depends(_feeds)],
    last: GivenLast = None,
) -> StreamingResponse:
    """Read what happens in a study as it happens, until it has ended: server-sent events.

    `study`: the study, at first and whenever its state or counts change. `trial`: a trial that begins to run, or has
    ended. `report`: a report of a trial that runs; of very many at once the newest. `deleted`: the study is gone.
    """
    study_id = await run_in_threadpool(happenings.study_of, replica.engine, name)
    stream = _stream(request, replica, feeds, study_id, last=None if last is None else int(last))
    return StreamingResponse(stream, media_type="text/event-stream", headers=_HEADERS)


async def _stream(
    request: Request, replica: Replica, feeds: Feeds, study_id: int, *, last: int | None
) -> AsyncIterator[bytes]:
    # Who cannot be served any more is cut off, and comes back with the last id that he has heard.
    with suppress(Unavailable, Unauthorized):
        async with feeds.listener(study_id) as listener:
            begin = await run_in_threadpool(happenings.opening, replica.engine, study_id, last=last)
            if begin is None:
                yield happenings.DELETED.data
                return
            yield b"".join(each.data for each in begin.happenings)
            after = begin.missed
            while after < begin.finished:
                missed = await run_in_threadpool(
                    happenings.ended, replica.engine, study_id, after=after, until=begin.finished
                )
                yield b"".join(each.data for each in missed)
                after += happenings.PAGE
            async for data in _told(request, listener, after=begin.finished):
                yield data


async def _told(request: Request, listener: Listener, *, after: int) -> AsyncIterator[bytes]:
    """Yield what a listener is told, but trials that ended up to the n-th one; and now and then a sign of life."""
    heard_at = recognised_at = time.monotonic()
    while True:
        try:
            async with asyncio.timeout(RECOGNISE_SECONDS):
                happened = await listener.next()
            if not happened:
                return
            heard_at = time.monotonic()
            yield b"".join(each.data for each in happened if each.order is None or each.order > after)
        except TimeoutError:
            if time.monotonic() - heard_at >= KEEP_ALIVE_SECONDS:
                heard_at = time.monotonic()
                yield _KEEP_ALIVE
        if time.monotonic() - recognised_at >= RECOGNISE_SECONDS:
            recognised_at = time.monotonic()
            await _recognise(request)


async def _recognise(request: Request) -> None:
    """Look whether the token is still one.

    Raises:
        Unauthorized: It was revoked.
    """
    with suppress(Unavailable):
        await request.scope["recognise"]()
