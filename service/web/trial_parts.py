"""Parts of the page of a trial that are read anew while it runs: its figures, what the doctor says, its curve."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from service import diagnoses, trials
from service.api.dependencies import ReplicaDep, StudyName
from service.api.scopes import needs
from service.api.studies import TrialNumber
from service.pictures import runs
from service.principals import Scope
from service.replica import Replica
from service.web import fragments, trial_curve
from service.web.pages import PageRoute, part

_HOLDS_SECONDS = 4.0
"""Less than a page waits before it asks again for what is read from the whole curve: more work than the rest."""

router = APIRouter(route_class=PageRoute)


@router.get("/fragments/studies/{name}/trials/{number}/figures")
@needs(Scope.READ)
def trial_figures(request: Request, name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Answer the figures of a trial so far, and what it left on record of itself."""
    return fragments.answer(
        request,
        ("figures", name, number),
        lambda: part("trial/figures.html", trial=trials.glance(replica, name, number)),
    )


@router.get("/fragments/studies/{name}/trials/{number}/diagnosis")
@needs(Scope.READ)
def trial_diagnosis(request: Request, name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Answer what the doctor says of a trial."""
    return fragments.answer(
        request,
        ("diagnosis", name, number),
        lambda: part("trial/diagnosis.html", diagnosis=diagnoses.of_trial(replica, name, number)),
        holds_seconds=_HOLDS_SECONDS,
    )


@router.get("/fragments/studies/{name}/trials/{number}/reports")
@needs(Scope.READ)
def trial_reports(request: Request, name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Answer the table of what a trial reported."""
    return fragments.answer(
        request, ("reports", name, number), lambda: _table(replica, name, number), holds_seconds=_HOLDS_SECONDS
    )


@router.get("/studies/{name}/trials/{number}/curve")
@needs(Scope.READ)
def trial_points(name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Answer all that a trial reported, in no more points than are seen."""
    return JSONResponse(trial_curve.curve(runs.run(replica, name, number)).data)


def _table(replica: Replica, name: str, number: int) -> str:
    run = runs.run(replica, name, number)
    rows = trial_curve.thinned(run, trial_curve.MOST_ROWS)
    return part("trial/table.html", rows=rows, metrics=trial_curve.metrics_of(run), total=run.total)
