"""/studies/{name}/figures/{figure}: what Plotly draws of a study, as JSON."""

from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

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
_ACCEPTED, _NOT_MODIFIED = 202, 304

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
    """Draw a figure of a study; the same one until another trial ends, and a while longer if it is much work.

    202: it is still being drawn. With Retry-After: trials have ended since it was drawn.
    """
    figures: Figures = request.app.state.figures
    wanted = Wanted(figure, metric=metric, x=x, y=y)
    subject = await figures.look(name, partial(look_at, replica, name))
    if if_none_match == subject.tag:
        return Response(status_code=_NOT_MODIFIED, headers={"ETag": subject.tag, **_CACHING})
    key = (subject.study_id, wanted)
    kept = await figures.get(key, subject.tag, partial(_draw, replica, subject, wanted), is_final=subject.is_ended)
    if kept is None:
        return Response(status_code=_ACCEPTED)
    headers = {"ETag": kept.tag, **_CACHING}
    if kept.tag != subject.tag:
        headers["Retry-After"] = str(figures.seconds_good(kept))
    if if_none_match == kept.tag:
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return Response(kept.body, media_type="application/json", headers=headers)


def _draw(replica: Replica, subject: Subject, wanted: Wanted) -> str:
    load_whole_pandas()
    # Plotly: 13 MB and 0.2 s, for nobody who looks at no figure.
    from service.web.figures.drawing import draw  # noqa: PLC0415

    return draw(replica, subject, wanted).json()


def load_whole_pandas() -> None:
    """Load pandas, where it is there, before anything is drawn.

    Plotly uses it if anybody has loaded it, and fails of one that another thread loads at that moment, as Optuna's
    importances do, which the same page asks for.
    """
    with suppress(ImportError):
        import_module("pandas")
