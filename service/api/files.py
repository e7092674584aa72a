"""Files as bodies of requests and answers: streamed through and never held."""

from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.files import CHUNK_BYTES, Limit, StoredFile, Upload

OCTETS = "application/octet-stream"

FILE: dict[str, Any] = {OCTETS: {"schema": {"type": "string", "format": "binary"}}}
"""What a file is in the description of the API."""

FILE_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": FILE}}
"""Likewise as the body of a request."""


def check_declared(request: Request, limit: Limit) -> None:
    """Refuse a body that says it is too large, before any of it is read.

    Raises:
        BodyTooLarge: It is.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal():
        limit.check(int(declared))


async def received(request: Request, upload: Upload) -> StoredFile:
    """Write the body of a request to its file; of one that is cut, too large or another nothing is left.

    Raises:
        BodyTooLarge, Invalid, Unavailable: As service.files.Upload.
    """
    try:
        await stream_into(request, upload.take)
        return await run_in_threadpool(upload.finish)
    except BaseException:
        await run_in_threadpool(upload.discard)
        raise


async def stream_into(request: Request, take: Callable[[bytes], None]) -> None:
    """Give the body of a request to whoever takes it, in pieces that are worth a thread each."""
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) >= CHUNK_BYTES:
            await run_in_threadpool(take, bytes(held))
            held.clear()
    await run_in_threadpool(take, bytes(held))
