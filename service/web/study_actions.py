"""What is done to a study from its page: paused, resumed, stopped, given more budget, followed by another, deleted."""

from collections.abc import Mapping
from contextlib import suppress

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from service import prescriptions, studies
from service.api.dependencies import PrincipalDep, ReplicaDep, StudyName
from service.api.scopes import needs
from service.principals import Principal, Scope
from service.replica import Replica
from service.web.forms import FormDep
from service.web.pages import PageRoute, render
from service.web.study_page import page_of
from trimtab.diagnosis import Prescription
from trimtab.errors import Conflict, Invalid, NotFound, StudyNotFound
from trimtab.protocol import StudyChange
from trimtab.validation import built

_SEE_OTHER = 303
_LIMITS = ("trials", "epochs", "seconds", "device_seconds")

router = APIRouter(route_class=PageRoute)


@router.post("/studies/{name}/state")
@needs(Scope.STUDIES)
def set_state(
    request: Request, name: StudyName, replica: ReplicaDep, principal: PrincipalDep, form: FormDep
) -> Response:
    """Pause a study, let it run on, or stop it."""
    return _changed(request, replica, name, principal, {"state": form.get("state", "")})


@router.post("/studies/{name}/budget")
@needs(Scope.STUDIES)
def set_budget(
    request: Request, name: StudyName, replica: ReplicaDep, principal: PrincipalDep, form: FormDep
) -> Response:
    """Give a study another budget. A limit that is left empty is none."""
    typed = {limit: text for limit in _LIMITS if isinstance(text := form.get(limit), str)}
    return _changed(request, replica, name, principal, {"budget": budget(typed)}, typed=typed)


@router.post("/studies/{name}/prescriptions")
@needs(Scope.STUDIES)
def prescribe(
    request: Request, name: StudyName, replica: ReplicaDep, principal: PrincipalDep, form: FormDep
) -> Response:
    """Create the study that follows, with those of the doctor's edits that are wanted, and show it."""
    edits = form.getlist("edits")
    if not edits:
        return page_of(request, replica, name, refused=Invalid("tick at least one edit"))
    try:
        made = prescriptions.prescribe(replica, name, built(Prescription, {"edits": edits}), principal=principal)
    except StudyNotFound:
        raise
    except (Conflict, Invalid, NotFound) as refused:
        return page_of(request, replica, name, refused=refused)
    return _to(made.name)


@router.get("/studies/{name}/delete")
@needs(Scope.STUDIES)
def delete_page(request: Request, name: StudyName, replica: ReplicaDep) -> Response:
    """Ask whether a study is really to be deleted."""
    return render(request, "study/delete.html", study=studies.read(replica, name))


@router.post("/studies/{name}/delete")
@needs(Scope.STUDIES)
def delete(name: StudyName, replica: ReplicaDep, principal: PrincipalDep, _: FormDep) -> Response:
    """Delete a study."""
    studies.delete(replica, name, principal=principal)
    return RedirectResponse("/", status_code=_SEE_OTHER)


@router.get("/studies/{name}/state")
@router.get("/studies/{name}/budget")
@router.get("/studies/{name}/prescriptions")
@needs(Scope.READ)
def back(name: StudyName) -> Response:
    """Lead to the study: these addresses stand in the browser where a change of it was refused."""
    return _to(name)


def budget(typed: Mapping[str, str]) -> dict[str, object]:
    """Return the limits that somebody typed, numbers where they are; what is left empty is no limit."""
    return {name: _number(text) if text.strip() else None for name, text in typed.items()}


def _changed(
    request: Request,
    replica: Replica,
    name: str,
    principal: Principal,
    change: Mapping[str, object],
    *,
    typed: Mapping[str, str] | None = None,
) -> Response:
    """Change a study and show it; where that is refused, say so on its page, with what was typed."""
    try:
        studies.change(replica, name, built(StudyChange, change), principal=principal)
    except (Conflict, Invalid) as refused:
        return page_of(request, replica, name, refused=refused, typed=typed)
    return _to(name)


def _number(text: str) -> int | float | str:
    """Return the number that a text is; else the text: what is wrong with it is said where it is checked."""
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    return text


def _to(name: str) -> Response:
    return RedirectResponse(f"/studies/{name}", status_code=_SEE_OTHER)
