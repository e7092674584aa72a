"""/: the studies, how far each is, who works on it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service import studies
from service.api.dependencies import NumberCursor, ReplicaDep
from service.api.scopes import needs
from service.principals import Scope
from service.web.pages import PageRoute, render
from trimtab.message import Tag
from trimtab.states import StudyState

_SHOWN = 50

router = APIRouter(route_class=PageRoute)


@router.get("/")
@needs(Scope.READ)
def study_list(
    request: Request,
    replica: ReplicaDep,
    state: Annotated[StudyState | None, Query()] = None,
    tag: Annotated[Tag | None, Query()] = None,
    cursor: NumberCursor = None,
) -> Response:
    """Show the studies, the newest first."""
    page = studies.page(replica, state=state, tag=tag, cursor=cursor, limit=_SHOWN)
    return render(request, "study_list.html", studies=page.items, next=page.next, state=state, tag=tag)
