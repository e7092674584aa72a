"""/v1/studies/{name}/checks."""

from fastapi import APIRouter, Response, status

from service import checks
from service.api.dependencies import Limit, NumberCursor, PrincipalDep, ReplicaDep, StudyName
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from trimtab import errors
from trimtab.checks import Check, CheckRequest
from trimtab.protocol import Page

router = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=ScopedRoute)


@router.post(
    "/{name}/checks",
    status_code=status.HTTP_201_CREATED,
    responses=problems(errors.StudyNotFound, errors.Conflict, errors.InProgress),
)
@needs(Scope.STUDIES)
def check_gradients(
    name: StudyName,
    wanted: CheckRequest,
    replica: ReplicaDep,
    principal: PrincipalDep,
    once: OnceDep,
    response: Response,
) -> Check:
    """Have the gradients of a study's task checked, in a study of its own, by a worker that has the task."""
    made = checks.check(replica, name, wanted, principal=principal, once=once)
    response.headers.update(checks.location(made))
    return made


@router.get("/{name}/checks", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
def list_checks(name: StudyName, replica: ReplicaDep, cursor: NumberCursor = None, limit: Limit = 100) -> Page[Check]:
    """List the gradient checks of a study, the newest first."""
    return checks.page(replica, name, cursor=cursor, limit=limit)
