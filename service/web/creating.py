"""/new: a study from its JSON and a form beside it, with what is wrong with it beside what was written."""

import json
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from service import drafts, studies
from service.api.dependencies import PrincipalDep, ReplicaDep
from service.api.scopes import needs
from service.principals import Scope
from service.replica import Replica
from service.web.forms import FormDep
from service.web.offered import offered
from service.web.pages import PageRoute, render
from service.web.written import check_exact
from trimtab.errors import Conflict, Invalid
from trimtab.message import StudyName
from trimtab.spec import StudySpec
from trimtab.validation import from_json

_SEE_OTHER = 303

_BEGINNING = """{
  "name": "NAME",
  "task": {"name": "mlp", "data": {"dataset": "digits"}},
  "budget": {"trials": 40}
}
"""

router = APIRouter(route_class=PageRoute)


@router.get("/new")
@needs(Scope.STUDIES)
def new_study(request: Request, replica: ReplicaDep, like: Annotated[StudyName | None, Query()] = None) -> Response:
    """Ask what a study is to be; begin with a copy of another one where one is named."""
    if like:
        return _page(request, replica, json.dumps(drafts.copied(replica, like), indent=2, ensure_ascii=False))
    return _page(request, replica, _BEGINNING.replace("NAME", drafts.free_name(replica, "digits")))


@router.post("/new")
@needs(Scope.STUDIES)
def create_study(request: Request, replica: ReplicaDep, principal: PrincipalDep, form: FormDep) -> Response:
    """Create the study and show it; or show again what was written, with what is wrong with it."""
    written = str(form.get("spec", ""))
    try:
        check_exact(written)
        study, _ = studies.create(replica, from_json(StudySpec, written.encode()), principal=principal)
    except (Conflict, Invalid) as refused:
        return _page(request, replica, written, refused=refused)
    return RedirectResponse(f"/studies/{study.name}", status_code=_SEE_OTHER)


def _page(request: Request, replica: Replica, written: str, *, refused: Conflict | Invalid | None = None) -> Response:
    status = refused.status if refused else 200
    return render(request, "new.html", status=status, written=written, refused=refused, **offered(replica))
