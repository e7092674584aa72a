"""/studies/{name}/trials/{number}: one trial, and the button that stops it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from service import study_rows, trials
from service.api.dependencies import PrincipalDep, ReplicaDep, StudyName
from service.api.scopes import needs
from service.api.studies import TrialNumber
from service.principals import Scope
from service.replica import Replica
from service.web import fragments
from service.web.attempts import Bar, bars
from service.web.forms import FormDep
from service.web.pages import PageRoute, part, render
from service.web.trial_shown import shown
from service.web.trial_words import ORIGINS, fate
from trimtab.protocol import TrialHistory
from trimtab.spec import StudySpec

_SEE_OTHER = 303

router = APIRouter(route_class=PageRoute)


@router.get("/studies/{name}/trials/{number}")
@needs(Scope.READ)
def trial_page(request: Request, name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Show a trial."""
    found = shown(replica, name, number)
    return render(request, "trial.html", shown=found, facts=_facts(replica, found.trial, found.study.spec))


@router.get("/fragments/studies/{name}/trials/{number}")
@needs(Scope.READ)
def trial_facts(request: Request, name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Answer what changes of that page while the trial runs, but for its pictures and its log."""
    return fragments.answer(request, ("trial", name, number), lambda: _part(replica, name, number))


@router.post("/studies/{name}/trials/{number}/stop")
@needs(Scope.STUDIES)
def stop(name: StudyName, number: TrialNumber, replica: ReplicaDep, principal: PrincipalDep, _: FormDep) -> Response:
    """Stop a trial."""
    trials.stop(replica, name, number, principal=principal)
    return RedirectResponse(f"/studies/{name}/trials/{number}", status_code=_SEE_OTHER)


def _part(replica: Replica, name: str, number: int) -> str:
    trial, study = trials.glance(replica, name, number), study_rows.read_here(replica, name)
    return part("trial/facts.html", facts=_facts(replica, trial, study.current_spec))


@dataclass(frozen=True)
class Facts:
    """What changes of a trial while it runs.

    Args:
        spec: Of its study.
        now: When this is.
        fate: What became of it, in words.
        origin: Who chose its params.
        bars: Its attempts.
    """

    trial: TrialHistory
    spec: StudySpec
    now: datetime
    fate: str
    origin: str
    bars: Sequence[Bar]


def _facts(replica: Replica, trial: TrialHistory, spec: StudySpec) -> Facts:
    now = replica.clock.now()
    return Facts(trial, spec, now, fate(trial), ORIGINS[trial.origin], bars(trial.history, now=now))
