"""/v1/leases/{lease_id}/model: files, streamed through and never held."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool

from service import models
from service.api.dependencies import DEAD, LeaseDep, ReplicaDep
from service.api.files import FILE_BODY, check_declared, received
from service.api.idempotency import once_by_address
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.once import Once
from service.principals import Scope
from service.storage.models import StoredModel
from trimtab import errors
from trimtab.finals import ModelFile
from trimtab.protocol import SHA256

router = APIRouter(prefix="/v1/leases", tags=["leases"], route_class=ScopedRoute)


@router.put(
    "/{lease_id}/model",
    openapi_extra=FILE_BODY,
    responses=problems(*DEAD, errors.Conflict, errors.InProgress),
)
@needs(Scope.LEASES)
async def put_model(
    request: Request,
    lease: LeaseDep,
    sha256: Annotated[str, Query(pattern=SHA256, description="Of the body, in hexadecimal.")],
    replica: ReplicaDep,
    once: Annotated[Once, Depends(once_by_address)],
) -> ModelFile:
    """Keep the file of a final model that is trained on this lease; renew the lease."""
    check_declared(request, models.limit(replica))
    upload = await run_in_threadpool(models.begin, replica, lease, sha256=sha256, once=once)
    if isinstance(upload, ModelFile):
        return upload
    written = StoredModel(**vars(await received(request, upload)))
    return await run_in_threadpool(models.keep, replica, lease, written, once=once)
