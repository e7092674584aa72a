"""/optuna/: Optuna's own dashboard on the same database, reading only. Its script draws all of its pages."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from service.api.dependencies import ReplicaDep, StudyName
from service.api.scopes import ScopedRoute, needs
from service.dashboard.asking import package
from service.database import autocommit
from service.principals import Scope
from service.replica import Replica
from service.storage import studies
from service.web import dashboard_script
from service.web.dashboard_script import ROOT
from service.web.pages import PageRoute, render
from trimtab.errors import NotFound

# Its script makes styles, which get the nonce (static/dashboard.js); the hash is that of the one in Plotly's logo.
_POLICY = (
    "default-src 'none'; script-src 'self'; img-src 'self' data: blob:; connect-src 'self';"
    " style-src 'self' 'nonce-{nonce}' 'sha256-vCpS8VyHtSqXbN/JkDhke+jauUq+p7lBAVCL+C75wZo=';"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
_FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_SEE_OTHER = 303

router = APIRouter(route_class=PageRoute)
data_router = APIRouter(route_class=ScopedRoute)

# What the dashboard asks of its server. The rest would write, or draw on the server what its script draws as well.
DataPath = Annotated[str, Path(pattern="^(meta|studies|studies/[0-9]{1,18}(/param_importances)?)$")]
Number = Annotated[int | None, Query(ge=0, lt=2**31)]
Words = Annotated[str | None, Query(max_length=10_000)]


@router.get("/studies/{name}/optuna")
@needs(Scope.READ)
def study_in_dashboard(name: StudyName, replica: ReplicaDep) -> Response:
    """Lead to a study in the dashboard, which knows it by Optuna's number."""
    with autocommit(replica.engine) as connection:
        study = studies.require(connection, name)
    return RedirectResponse(f"{ROOT}/studies/{study.study_id}", status_code=_SEE_OTHER)


@router.get(ROOT)
@needs(Scope.READ)
def dashboard_root() -> Response:
    """Lead to the first page of the dashboard."""
    return RedirectResponse(f"{ROOT}/", status_code=_SEE_OTHER)


@data_router.get(f"{ROOT}/api/{{path:path}}")
@needs(Scope.READ)
async def dashboard_data(request: Request, replica: ReplicaDep, path: DataPath, after: Number = None) -> Response:
    """Answer what the dashboard draws."""
    return await _ask(request, replica, f"/api/{path}")


@data_router.get(f"{ROOT}/csv/{{study_id}}")
@needs(Scope.READ)
async def dashboard_csv(request: Request, replica: ReplicaDep, study_id: int, trial_ids: Words = None) -> Response:
    """Answer the trials of a study as CSV."""
    return await _ask(request, replica, f"/csv/{study_id}")


@data_router.get(f"{ROOT}/{{digest}}/bundle.js")
@needs(Scope.READ)
def dashboard_bundle(digest: str) -> Response:
    """Serve the dashboard's script for ever: under this address it never changes."""
    if package() is None or (script := dashboard_script.script(digest)) is None:
        raise NotFound("there is no such script any more")
    return Response(script, media_type="text/javascript", headers=_FOR_EVER)


@router.get(f"{ROOT}/{{path:path}}")
@needs(Scope.READ)
def dashboard_page(
    request: Request,
    path: str,
    ids: Words = None,
    numbers: Words = None,
    exclude: Words = None,
    studies_order_by: Words = None,
) -> Response:
    """Show a page of the dashboard, whichever: the address is its script's to read."""
    if package() is None:
        return render(request, "dashboard_missing.html")
    nonce = secrets.token_urlsafe(16)
    page = render(request, "dashboard.html", script=dashboard_script.url(), nonce=nonce)
    page.headers["Content-Security-Policy"] = _POLICY.format(nonce=nonce)
    return page


async def _ask(request: Request, replica: Replica, path: str) -> Response:
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    answer = await replica.dashboard.ask(replica.engine.url, path, request.url.query, takes_gzip=takes_gzip)
    return Response(answer.body, status_code=answer.status, headers=answer.headers)
