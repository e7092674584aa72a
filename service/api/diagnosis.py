"""The doctor: /v1/studies/{name}/diagnosis, and the study that it prescribes."""

from typing import Annotated

from fastapi import APIRouter, Path, Response, status

from service import diagnoses, prescriptions
from service.api.dependencies import PrincipalDep, ReplicaDep, StudyName
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope
from trimtab import errors
from trimtab.diagnosis import Diagnosis, Prescription
from trimtab.protocol import Study

_NOTHING_TO_GO_BY = (errors.NoCompleteTrial, errors.NoFeasibleTrial, errors.SeveralObjectives)

router = APIRouter(prefix="/v1/studies/{name}", tags=["studies"], route_class=ScopedRoute)


@router.get("/diagnosis", responses=problems(errors.StudyNotFound, *_NOTHING_TO_GO_BY))
@needs(Scope.READ)
def diagnose_study(name: StudyName, replica: ReplicaDep) -> Diagnosis:
    """Read what ails the study: of its best trial, with what others and those that failed add; and which edits help."""
    return diagnoses.of_study(replica, name)


@router.get("/trials/{number}/diagnosis", responses=problems(errors.StudyNotFound, errors.TrialNotFound))
@needs(Scope.READ)
def diagnose_trial(name: StudyName, number: Annotated[int, Path(ge=0, lt=2**31)], replica: ReplicaDep) -> Diagnosis:
    """Read what ails one trial, by its own figures."""
    return diagnoses.of_trial(replica, name, number)


@router.post(
    "/prescriptions",
    status_code=status.HTTP_201_CREATED,
    responses=problems(
        errors.StudyNotFound,
        *_NOTHING_TO_GO_BY,
        errors.NothingToPrescribe,
        errors.StudyExists,
        errors.Conflict,
        errors.InProgress,
    ),
)
@needs(Scope.STUDIES)
def prescribe(
    name: StudyName,
    wanted: Prescription,
    replica: ReplicaDep,
    principal: PrincipalDep,
    once: OnceDep,
    response: Response,
) -> Study:
    """Make the next study: this one with the doctor's edits, all of them or those that are named by their path."""
    study = prescriptions.prescribe(replica, name, wanted, principal=principal, once=once)
    response.headers.update(prescriptions.location(study))
    return study
