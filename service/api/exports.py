"""/v1/studies/{name}/export: a file that is written while it is read."""

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from starlette.types import Send

from service import exports
from service.api.dependencies import ReplicaDep, StudyName
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from trimtab import errors
from trimtab.exports import ExportFormat, ExportTable

router = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=ScopedRoute)

_MEDIA_TYPES = {
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
    ExportFormat.JSON: "application/json",
    ExportFormat.PARQUET: "application/vnd.apache.parquet",
}
_FILES: dict[str, Any] = {
    "text/csv": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
}

_log = logging.getLogger(__name__)


class _Whole(StreamingResponse):
    """A file that comes whole, or is cut off in a way that its reader notices: the last chunk never comes."""

    async def stream_response(self, send: Send) -> None:
        """Send the parts as they are made."""
        try:
            await super().stream_response(send)
        except errors.Refused as refused:
            _log.warning("an export is cut off: %s", refused)


@router.get(
    "/{name}/export",
    response_class=_Whole,
    responses={
        200: {
            "description": "The file.",
            "content": _FILES,
            "headers": {"Content-Disposition": {"description": "What to call it.", "schema": {"type": "string"}}},
        },
        **problems(errors.StudyNotFound),
    },
)
@needs(Scope.READ)
def export_study(
    name: StudyName,
    replica: ReplicaDep,
    form: Annotated[ExportFormat, Query(alias="format", description="How it is written.")] = ExportFormat.CSV,
    table: Annotated[
        ExportTable, Query(description="What a row is: `reports` are those of every attempt.")
    ] = ExportTable.TRIALS,
) -> StreamingResponse:
    """Export the trials of a study, or all that they reported, as a file."""
    export = exports.begin(replica, name, table=table, form=form)
    headers = {"Content-Disposition": f'attachment; filename="{export.name}"'}
    return _Whole(export.content, headers=headers, media_type=_MEDIA_TYPES[form])
