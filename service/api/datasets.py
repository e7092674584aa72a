"""/v1/datasets."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response, status
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from service import files
from service.api.dependencies import Limit, PrincipalDep, ReplicaDep
from service.api.files import FILE, OCTETS, check_declared, stream_into
from service.api.idempotency import GivenKey, once_of
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.datasets import catalogue, intake
from service.datasets.orders import Format
from service.principals import Scope
from trimtab import errors
from trimtab.data import ColumnName, DatasetName
from trimtab.datasets import Dataset, TargetKind
from trimtab.protocol import SHA256, FieldProblem, Page

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=ScopedRoute)

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {"requestBody": {"required": True, "content": {kind.value: _BINARY for kind in Format}}}

Name = Annotated[DatasetName, Path(description="The name of a data set.")]
NameCursor = Annotated[DatasetName | None, Query(description="Where the page begins: `next` of the one before.")]


@router.get("")
@needs(Scope.READ)
def list_datasets(replica: ReplicaDep, cursor: NameCursor = None, limit: Limit = 100) -> Page[Dataset]:
    """List the newest versions of the data sets by name; those of version 0 are built in."""
    return catalogue.page(replica, cursor=cursor, limit=limit)


@router.get("/{name}", responses=problems(errors.DatasetNotFound))
@needs(Scope.READ)
def read_dataset(name: Name, replica: ReplicaDep) -> Dataset:
    """Read what is in the newest version of a data set."""
    return catalogue.read(replica, name)


@router.get(
    "/{name}/content",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file as workers read it.",
            "content": FILE,
            "headers": {
                "ETag": {"description": "The SHA-256 of the body, in hexadecimal.", "schema": {"type": "string"}}
            },
        },
        **problems(errors.DatasetNotFound, errors.DatasetBuiltIn),
    },
)
@needs(Scope.DATASETS)
def read_dataset_content(
    name: Name,
    replica: ReplicaDep,
    principal: PrincipalDep,
    sha256: Annotated[str | None, Query(pattern=SHA256, description="Of the version; without it, the newest.")] = None,
) -> StreamingResponse:
    """Read the file of a data set. A worker has a right to those that its leases are trained on, a reader to none."""
    found, file = catalogue.content(replica, name, sha256=sha256, principal=principal)
    headers = {"Content-Length": str(found.size), "ETag": f'"{found.sha256}"'}
    return StreamingResponse(files.content(file), headers=headers, media_type=OCTETS)


@router.put(
    "/{name}",
    status_code=status.HTTP_201_CREATED,
    openapi_extra=_BODY,
    responses={
        200: {"model": Dataset, "description": "The newest version has this content."},
        **problems(errors.DatasetBuiltIn, errors.InProgress),
    },
)
@needs(Scope.STUDIES)
async def put_dataset(
    request: Request,
    name: Name,
    replica: ReplicaDep,
    principal: PrincipalDep,
    response: Response,
    target: Annotated[
        ColumnName | None, Query(description="The column that is learned, of CSV and Parquet; none of the others.")
    ] = None,
    kind: Annotated[TargetKind, Query(description="What is to be learned.")] = TargetKind.AUTO,
    key: GivenKey = None,
) -> Dataset:
    """Put a file as the newest version of a data set. It is checked before anything of it is kept."""
    file_format = _format(request)
    catalogue.require_put(name)
    limit = intake.limit(replica)
    check_declared(request, limit)
    file = await run_in_threadpool(intake.Intake, limit)
    try:
        await stream_into(request, file.take)
        await run_in_threadpool(file.finish)
        dataset, is_new = await run_in_threadpool(
            intake.put,
            replica,
            name,
            file,
            file_format=file_format,
            target=target,
            kind=kind,
            principal=principal,
            once=once_of(request, key, file.digest),
        )
    finally:
        await run_in_threadpool(file.close)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    return dataset


@router.delete(
    "/{name}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(errors.DatasetNotFound, errors.DatasetInUse, errors.DatasetBuiltIn),
)
@needs(Scope.STUDIES)
def delete_dataset(name: Name, replica: ReplicaDep, principal: PrincipalDep) -> None:
    """Delete every version of a data set that no study needs."""
    catalogue.delete(replica, name, principal=principal)


def _format(request: Request) -> Format:
    """Return what the body is said to be.

    Raises:
        Invalid: It is not said, or is nothing that can be read.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given in set(Format):
        return Format(given)
    text = f"is {given[:100]!r}: {', '.join(Format)} can be read"
    raise errors.Invalid(
        "the body is not said to be a data set", errors=[FieldProblem(field="Content-Type", message=text)]
    )
