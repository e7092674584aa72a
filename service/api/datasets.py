"""/v1/datasets."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, status
from fastapi.responses import StreamingResponse

from service import files
from service.api.dependencies import Cursor, Limit, PrincipalDep, ReplicaDep
from service.api.files import FILE, OCTETS
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.datasets import catalogue
from service.principals import Scope
from trimtab import errors
from trimtab.data import DatasetName
from trimtab.datasets import Dataset
from trimtab.protocol import SHA256, Page

router = APIRouter(prefix="/v1/datasets", tags=["datasets"], route_class=ScopedRoute)

Name = Annotated[DatasetName, Path(description="The name of a data set.")]


@router.get("")
@needs(Scope.READ)
def list_datasets(replica: ReplicaDep, cursor: Cursor = None, limit: Limit = 100) -> Page[Dataset]:
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
    """Read the file of a data set. A worker has a right to those that its leases are trained on."""
    found, file = catalogue.content(replica, name, sha256=sha256, principal=principal)
    headers = {"Content-Length": str(found.size), "ETag": f'"{found.sha256}"'}
    return StreamingResponse(files.content(file), headers=headers, media_type=OCTETS)


@router.delete(
    "/{name}",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=problems(errors.DatasetNotFound, errors.DatasetInUse, errors.DatasetBuiltIn),
)
@needs(Scope.STUDIES)
def delete_dataset(name: Name, replica: ReplicaDep, principal: PrincipalDep) -> None:
    """Delete every version of a data set that no study needs."""
    catalogue.delete(replica, name, principal=principal)
