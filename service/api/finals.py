"""/v1/studies/{name}/confirmation and /v1/studies/{name}/final."""

from typing import Annotated

from fastapi import APIRouter, Header, Response, status
from fastapi.responses import StreamingResponse

from service import confirmations, files, finals, models, reading_finals
from service.api.dependencies import PrincipalDep, ReplicaDep, StudyName
from service.api.files import FILE, OCTETS
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from trimtab import errors
from trimtab.finals import Confirm, Confirmation, FinalModel, FinalRequest

router = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=ScopedRoute)

_NO_CHOICE = (
    errors.StudyNotFound,
    errors.NoCompleteTrial,
    errors.SeveralObjectives,
    errors.ConfirmationRunning,
    errors.Conflict,
    errors.InProgress,
)


@router.post("/{name}/confirmation", status_code=status.HTTP_201_CREATED, responses=problems(*_NO_CHOICE))
@needs(Scope.STUDIES)
def confirm_study(
    name: StudyName, wanted: Confirm, replica: ReplicaDep, principal: PrincipalDep, once: OnceDep, response: Response
) -> Confirmation:
    """Train the best trials of a study again, with fresh seeds, in a study of their own."""
    answer = confirmations.confirm(replica, name, wanted, principal=principal, once=once)
    response.headers.update(confirmations.location(name))
    return answer


@router.get("/{name}/confirmation", responses=problems(errors.StudyNotFound, errors.NotFound))
@needs(Scope.READ)
def read_confirmation(name: StudyName, replica: ReplicaDep) -> Confirmation:
    """Read the newest confirmation of a study: the value of each trial that was trained again."""
    return confirmations.read(replica, name)


@router.post("/{name}/final", status_code=status.HTTP_201_CREATED, responses=problems(*_NO_CHOICE, errors.TestSetRead))
@needs(Scope.STUDIES)
def make_final_model(
    name: StudyName,
    wanted: FinalRequest,
    replica: ReplicaDep,
    principal: PrincipalDep,
    once: OnceDep,
    response: Response,
) -> FinalModel:
    """Train the final model of a study on its training and validation data, and read its test set, once."""
    answer = finals.ask(replica, name, wanted, principal=principal, once=once)
    response.headers.update(finals.location(name))
    return answer


@router.get("/{name}/final", responses=problems(errors.StudyNotFound, errors.FinalNotFound))
@needs(Scope.READ)
def read_final_model(name: StudyName, replica: ReplicaDep) -> FinalModel:
    """Read how far the final model of a study is: the trial chosen, the error on the test set, every reading of it."""
    return reading_finals.read(replica, name)


@router.get(
    "/{name}/final/model",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "The file, as `trimtab.load_model` reads it.",
            "content": FILE,
            "headers": {"ETag": {"description": "The SHA-256 of the body.", "schema": {"type": "string"}}},
        },
        304: {"description": "The ETag of If-None-Match still holds."},
        **problems(errors.StudyNotFound, errors.ModelNotFound),
    },
)
@needs(Scope.READ)
def read_model(
    name: StudyName, replica: ReplicaDep, if_none_match: Annotated[str | None, Header(max_length=200)] = None
) -> Response:
    """Read the final model of a study."""
    found = reading_finals.model(replica, name)
    headers = {"ETag": f'"{found.sha256}"'}
    if if_none_match == headers["ETag"]:
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    headers["Content-Length"] = str(found.size)
    return StreamingResponse(files.content(models.opened(replica, found)), headers=headers, media_type=OCTETS)
