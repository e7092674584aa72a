"""/new: a study from its JSON, with what is wrong with it beside what was written."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from service import studies
from service.api.dependencies import PrincipalDep, ReplicaDep
from service.api.scopes import needs
from service.principals import Scope
from service.web.forms import FormDep
from service.web.pages import PageRoute, render
from trimtab.errors import Conflict, Invalid
from trimtab.message import StudyName
from trimtab.spec import StudySpec
from trimtab.validation import from_json

_SEE_OTHER = 303

_BEGINNING = """{
  "name": "digits",
  "task": {"name": "mlp", "data": {"dataset": "digits"}},
  "budget": {"trials": 40}
}
"""

router = APIRouter(route_class=PageRoute)


@router.get("/new")
@needs(Scope.STUDIES)
def new_study(request: Request, replica: ReplicaDep, like: Annotated[StudyName | None, Query()] = None) -> Response:
    """Ask what a study is to be; begin with another one's spec where one is named."""
    written = studies.read(replica, like).spec.model_dump_json(indent=2) if like else _BEGINNING
    return _page(request, written)


@router.post("/new")
@needs(Scope.STUDIES)
def create_study(request: Request, replica: ReplicaDep, principal: PrincipalDep, form: FormDep) -> Response:
    """Create the study and show it; or show again what was written, with what is wrong with it."""
    written = str(form.get("spec", ""))
    try:
        study, _ = studies.create(replica, from_json(StudySpec, written.encode()), principal=principal)
    except (Conflict, Invalid) as refused:
        return _page(request, written, refused=refused)
    return RedirectResponse(f"/studies/{study.name}", status_code=_SEE_OTHER)


def _page(request: Request, written: str, *, refused: Conflict | Invalid | None = None) -> Response:
    status = refused.status if refused else 200
    return render(request, "new.html", status=status, written=written, refused=refused)
