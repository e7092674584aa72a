"""/studies/{name}: a study on one page, and what its pictures are drawn from."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from service.api.dependencies import PrincipalDep, ReplicaDep, StudyName
from service.api.scopes import needs
from service.pictures import curves, plane
from service.principals import Scope
from service.replica import Replica
from service.web import fragments
from service.web.pages import PageRoute, part, render
from service.web.study_shown import shown
from trimtab.errors import Refused
from trimtab.message import Message

_OK = 200

router = APIRouter(route_class=PageRoute)


@router.get("/studies/{name}")
@needs(Scope.READ)
def study_page(request: Request, name: StudyName, replica: ReplicaDep) -> Response:
    """Show a study."""
    return page_of(request, replica, name)


@router.get("/fragments/studies/{name}")
@needs(Scope.READ)
def study_parts(request: Request, name: StudyName, replica: ReplicaDep, principal: PrincipalDep) -> Response:
    """Answer what of that page changes while the study runs, but for the pictures."""
    may_change, origin = principal.may(Scope.STUDIES), _origin(request)
    return fragments.answer(
        request,
        ("study", name, may_change, origin),
        lambda: part("study/parts.html", shown=shown(replica, name), may_change=may_change, origin=origin),
    )


@router.get("/studies/{name}/curves")
@needs(Scope.READ)
async def study_curves(name: StudyName, replica: ReplicaDep) -> Response:
    """Answer the learning curves, thinned to what can be told apart."""
    return _json(await curves.read(replica, name))


@router.get("/studies/{name}/plane")
@needs(Scope.READ)
async def study_plane(name: StudyName, replica: ReplicaDep) -> Response:
    """Answer the bias and the variance of the complete trials."""
    return _json(await plane.read(replica, name))


def page_of(
    request: Request,
    replica: Replica,
    name: str,
    *,
    refused: Refused | None = None,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Return the page of a study.

    Args:
        request: That asks for it, or for a change that came to nothing.
        replica: To read it.
        name: Of the study.
        refused: Why nothing was changed.
        typed: The limits of the budget that somebody typed; None: nobody did.

    Raises:
        StudyNotFound: There is none of that name.
        Unavailable: The database is away or busy.
    """
    status = refused.status if refused else _OK
    values = {"shown": shown(replica, name), "refused": refused, "typed": typed, "origin": _origin(request)}
    # The address of a change that was refused is another one.
    return render(request, "study.html", status=status, path=f"/studies/{name}", **values)


def _json(picture: Message) -> Response:
    # As it is: validated again, thousands of points take several times as long.
    return Response(picture.model_dump_json(), media_type="application/json")


def _origin(request: Request) -> str:
    """Return where the service is, as whoever looks at the page calls it."""
    return str(request.base_url).rstrip("/")
