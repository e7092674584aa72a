"""/: the studies, how far each is, how it went, who works on it."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BeforeValidator

from service import summaries
from service.api.dependencies import NumberCursor, PrincipalDep, ReplicaDep
from service.api.scopes import needs
from service.principals import Scope
from service.replica import Replica
from service.summaries import Summary
from service.web import fragments
from service.web.pages import PageRoute, part, render
from service.web.sparklines import Sparkline, sparkline
from trimtab.message import Tag
from trimtab.states import StudyState

_SHOWN = 50

router = APIRouter(route_class=PageRoute)

# A form sends what was left empty as an empty text.
_Filled = BeforeValidator(lambda text: text or None)


@dataclass(frozen=True)
class Wanted:
    """Which studies somebody wants to see."""

    state: Annotated[StudyState | None, _Filled, Query()] = None
    tag: Annotated[Tag | None, _Filled, Query()] = None
    cursor: NumberCursor = None

    @property
    def is_all(self) -> bool:
        """Whether a study that is not shown is not there."""
        return self.state is None and self.tag is None and self.cursor is None

    def address(self, path: str, **changes: str | None) -> str:
        """Return where these studies are shown, or others that differ in what is given."""
        given = {name: value for name, value in (vars(self) | changes).items() if value}
        return f"{path}?{urlencode(given)}" if given else path


WantedDep = Annotated[Wanted, Depends()]


@router.get("/")
@needs(Scope.READ)
def study_list(request: Request, replica: ReplicaDep, principal: PrincipalDep, wanted: WantedDep) -> Response:
    """Show the studies, the newest first."""
    shown = _shown(replica, wanted, may_create=principal.may(Scope.STUDIES))
    return render(request, "study_list.html", states=list(StudyState), **shown)


@router.get("/fragments/studies")
@needs(Scope.READ)
def study_rows(request: Request, replica: ReplicaDep, principal: PrincipalDep, wanted: WantedDep) -> Response:
    """Answer what changes of that page."""
    may_create = principal.may(Scope.STUDIES)
    return fragments.answer(
        request,
        ("studies", wanted, may_create),
        lambda: part("studies/list.html", **_shown(replica, wanted, may_create=may_create)),
    )


def _shown(replica: Replica, wanted: Wanted, *, may_create: bool) -> dict[str, Any]:
    """Return what the template of the list gets."""
    page = summaries.page(replica, state=wanted.state, tag=wanted.tag, cursor=wanted.cursor, limit=_SHOWN)
    return {
        "page": page,
        "wanted": wanted,
        "may_create": may_create,
        "sparkline": _sparkline,
        "now": replica.clock.now(),
    }


def _sparkline(study: Summary) -> Sparkline | None:
    """Return the picture of the best value so far; None: there is no one best."""
    if len(study.row.objectives) > 1:
        return None
    return sparkline(study.course.steps, finished=study.course.finished)
