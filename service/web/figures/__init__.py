"""/studies/{name}/figures/{figure}: what Plotly draws of a study, as JSON."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from service.api.dependencies import ReplicaDep, StudyName
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from service.replica import Replica
from service.web.figures.kept import Figures
from service.web.figures.subject import Subject, look_at
from service.web.figures.wanted import FigureName, Wanted
from trimtab.message import ParamName

# The JSON is the browser's to keep, and asked for again: it changes when a trial ends.
_CACHING = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}

router = APIRouter(route_class=ScopedRoute)


@router.get("/studies/{name}/figures/{figure}")
@needs(Scope.READ)
async def figure(
    request: Request,
    name: StudyName,
    figure: FigureName,
    replica: ReplicaDep,
    metric: Annotated[ParamName | None, Query()] = None,
    x: Annotated[ParamName | None, Query()] = None,
    y: Annotated[ParamName | None, Query()] = None,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Draw a figure of a study; the same one until another trial ends."""
    figures: Figures = request.app.state.figures
    wanted = Wanted(figure, metric=metric, x=x, y=y)
    subject = await run_in_threadpool(look_at, replica, name)
    etag = f'"{subject.study_id}-{subject.revision}-{subject.known}"'
    headers = {"ETag": etag, **_CACHING}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    body = await figures.get((etag, wanted), partial(_draw, replica, subject, wanted))
    return Response(body, media_type="application/json", headers=headers)


def _draw(replica: Replica, subject: Subject, wanted: Wanted) -> str:
    # Plotly: 13 MB and 0.2 s, for nobody who looks at no figure.
    from service.web.figures.drawing import draw  # noqa: PLC0415

    return draw(replica, subject, wanted).json()
