"""/studies/{name}/trials/{number}: one trial, and the button that stops it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from service import trials
from service.api.dependencies import PrincipalDep, ReplicaDep, StudyName
from service.api.scopes import needs
from service.api.studies import TrialNumber
from service.principals import Scope
from service.replica import Replica
from service.web.attempts import Bar, bars
from service.web.forms import FormDep
from service.web.fragments import Fragments
from service.web.pages import PageRoute, part, render
from service.web.trial_shown import shown
from service.web.trial_words import ORIGINS, fate
from trimtab.protocol import TrialHistory

_SEE_OTHER = 303

router = APIRouter(route_class=PageRoute)


@router.get("/studies/{name}/trials/{number}")
@needs(Scope.READ)
def trial_page(request: Request, name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Show a trial."""
    found = shown(replica, name, number)
    return render(request, "trial.html", shown=found, facts=_facts(found.trial))


@router.get("/fragments/studies/{name}/trials/{number}")
@needs(Scope.READ)
def trial_facts(request: Request, name: StudyName, number: TrialNumber, replica: ReplicaDep) -> Response:
    """Answer what changes of that page while the trial runs, but for its pictures and its log."""
    fragments: Fragments = request.app.state.fragments
    return fragments.answer(request, ("trial", name, number), lambda: _part(replica, name, number))


@router.post("/studies/{name}/trials/{number}/stop")
@needs(Scope.STUDIES)
def stop(name: StudyName, number: TrialNumber, replica: ReplicaDep, principal: PrincipalDep, _: FormDep) -> Response:
    """Stop a trial."""
    trials.stop(replica, name, number, principal=principal)
    return RedirectResponse(f"/studies/{name}/trials/{number}", status_code=_SEE_OTHER)


def _part(replica: Replica, name: str, number: int) -> str:
    return part("trial/facts.html", facts=_facts(trials.glance(replica, name, number)))


@dataclass(frozen=True)
class Facts:
    """What changes of a trial while it runs.

    Args:
        fate: What became of it, in words.
        origin: Who chose its params.
        bars: Its attempts.
    """

    trial: TrialHistory
    fate: str
    origin: str
    bars: Sequence[Bar]


def _facts(trial: TrialHistory) -> Facts:
    return Facts(trial, fate(trial), ORIGINS[trial.origin], bars(trial.history, now=datetime.now(UTC)))
