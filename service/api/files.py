"""Files as bodies of requests and answers: streamed through and never held."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.files import CHUNK_BYTES, StoredFile, Upload, check_size

OCTETS = "application/octet-stream"

FILE: dict[str, Any] = {OCTETS: {"schema": {"type": "string", "format": "binary"}}}
"""What a file is in the description of the API."""

FILE_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": FILE}}
"""Likewise as the body of a request."""


def check_declared(request: Request, max_bytes: int, *, what: str) -> None:
    """Refuse a body that says it is too large, before any of it is read.

    Raises:
        BodyTooLarge: It is.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal():
        check_size(int(declared), max_bytes, what=what)


async def received(request: Request, upload: Upload) -> StoredFile:
    """Write the body of a request to its file; of one that is cut, too large or another nothing is left.

    Raises:
        BodyTooLarge, Invalid, Unavailable: As service.files.Upload.
    """
    try:
        async for chunk in chunks(request):
            await run_in_threadpool(upload.take, chunk)
        return await run_in_threadpool(upload.finish)
    except BaseException:
        await run_in_threadpool(upload.discard)
        raise


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body of a request in pieces that are worth a thread each."""
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) >= CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)
