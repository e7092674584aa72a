"""/v1/leases/{lease_id}/checkpoint: files, streamed through and never held."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service import checkpoints, files
from service.api.dependencies import DEAD, LeaseDep, ReplicaDep
from service.api.files import FILE, FILE_BODY, OCTETS, check_declared, received
from service.api.idempotency import once_by_address
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.once import Once
from service.principals import Scope
from service.storage.checkpoints import StoredCheckpoint
from trimtab import errors
from trimtab.protocol import SHA256, Checkpoint

router = APIRouter(prefix="/v1/leases", tags=["leases"], route_class=ScopedRoute)


@router.put(
    "/{lease_id}/checkpoint",
    openapi_extra=FILE_BODY,
    responses=problems(*DEAD, errors.StepConflict, errors.InProgress),
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
    check_declared(request, checkpoints.limit(replica))
    upload = await run_in_threadpool(checkpoints.begin, replica, lease, step=step, sha256=sha256, once=once)
    if isinstance(upload, Checkpoint):
        return upload
    file = await received(request, upload)
    written = StoredCheckpoint(step, **vars(file))
    return await run_in_threadpool(checkpoints.keep, replica, lease, written, once=once)


@router.get(
    "/{lease_id}/checkpoint",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The newest checkpoint that is whole.",
            "content": FILE,
            "headers": {
                "Trimtab-Step": {"description": "The step after which it was written.", "schema": {"type": "integer"}},
                "Trimtab-SHA256": {"description": "Of the body, in hexadecimal.", "schema": {"type": "string"}},
            },
        },
        **problems(*DEAD, errors.CheckpointNotFound),
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
    return StreamingResponse(files.content(file), headers=headers, media_type=OCTETS)
