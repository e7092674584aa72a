"""/v1/leases/{lease_id}/checkpoint: files, streamed through and never held."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service import checkpoints
from service.api.dependencies import LeaseDep, ReplicaDep
from service.api.idempotency import once_by_address
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.checkpoints import CHUNK_BYTES, Upload
from service.once import Once
from service.principals import Scope
from service.storage.checkpoints import StoredCheckpoint
from trimtab import errors
from trimtab.protocol import SHA256, Checkpoint

router = APIRouter(prefix="/v1/leases", tags=["leases"], route_class=ScopedRoute)

_DEAD = (errors.LeaseNotFound, errors.LeaseLost, errors.LeaseEnded, errors.StudyDeleted)
_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": _BYTES}}


@router.put(
    "/{lease_id}/checkpoint",
    openapi_extra=_BODY,
    responses=problems(*_DEAD, errors.StepConflict, errors.InProgress),
)
@needs(Scope.LEASES)
async def put_checkpoint(
    request: Request,
    lease: LeaseDep,
    step: Annotated[int, Query(ge=1, lt=2**31, description="A step of this lease that was reported.")],
    sha256: Annotated[str, Query(pattern=SHA256, description="Of the body, in hexadecimal.")],
    replica: ReplicaDep,
    once: Annotated[Once, Depends(once_by_address)],
) -> Checkpoint:
    """Keep the state of the training after a step, for the next attempt; renew the lease."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > replica.max_checkpoint_bytes:
        raise checkpoints.too_large(replica.max_checkpoint_bytes)
    upload = await run_in_threadpool(checkpoints.begin, replica, lease, step=step, sha256=sha256, once=once)
    if isinstance(upload, Checkpoint):
        return upload
    written = await _received(request, upload)
    return await run_in_threadpool(checkpoints.keep, replica, lease, written, once=once)


@router.get(
    "/{lease_id}/checkpoint",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The newest checkpoint that is whole.",
            "content": _BYTES,
            "headers": {
                "Trimtab-Step": {"description": "The step after which it was written.", "schema": {"type": "integer"}},
                "Trimtab-SHA256": {"description": "Of the body, in hexadecimal.", "schema": {"type": "string"}},
            },
        },
        **problems(*_DEAD, errors.CheckpointNotFound),
    },
)
@needs(Scope.LEASES)
def get_checkpoint(lease: LeaseDep, replica: ReplicaDep) -> StreamingResponse:
    """Read the newest checkpoint of the lease's trial."""
    found, file = checkpoints.newest(replica, lease)
    headers = {
        "Content-Length": str(found.size),
        "Trimtab-Step": str(found.step),
        "Trimtab-SHA256": found.sha256,
    }
    return StreamingResponse(checkpoints.content(file), headers=headers, media_type="application/octet-stream")


async def _received(request: Request, upload: Upload) -> StoredCheckpoint:
    try:
        async for chunk in _chunks(request):
            await run_in_threadpool(upload.take, chunk)
        return await run_in_threadpool(upload.finish)
    except BaseException:
        await run_in_threadpool(upload.discard)
        raise


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body in pieces that are worth a thread each."""
    held = bytearray()
    async for part in request.stream():
        held += part
        if len(held) >= CHUNK_BYTES:
            yield bytes(held)
            held.clear()
    yield bytes(held)
