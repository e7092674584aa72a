"""/v1/studies."""

from typing import Annotated

from fastapi import APIRouter, Body, Header, Path, Query, Request, Response, status

from service import additions, importances, progress, replays, rounds, studies, trials
from service.api.dependencies import Limit, NumberCursor, PrincipalDep, ReplicaDep, StudyName, Wait
from service.api.examples import STUDIES
from service.api.idempotency import OnceDep
from service.api.problems import problems
from service.api.scopes import ScopedRoute, needs
from service.api.waiting import until
from service.principals import Scope
from trimtab import errors
from trimtab.given import GivenTrial
from trimtab.learned import ImportanceMethod, Importances, Progress
from trimtab.message import ParamName, Tag
from trimtab.protocol import BestTrial, Page, Round, Study, StudyChange, Trial, TrialHistory
from trimtab.replay import Replay
from trimtab.spec import StudySpec
from trimtab.states import StudyState, TrialState

TrialNumber = Annotated[int, Path(ge=0, lt=2**31)]

router = APIRouter(prefix="/v1/studies", tags=["studies"], route_class=ScopedRoute)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    responses={
        200: {"model": Study, "description": "It exists with this spec."},
        **problems(errors.StudyExists, errors.InProgress),
    },
)
@needs(Scope.STUDIES)
def create_study(
    spec: Annotated[StudySpec, Body(openapi_examples=STUDIES)],
    replica: ReplicaDep,
    principal: PrincipalDep,
    once: OnceDep,
    response: Response,
) -> Study:
    """Create a study. The same name and spec again: 200 and the study as it is."""
    study, is_new = studies.create(replica, spec, principal=principal, once=once)
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    response.headers.update(studies.location(study))
    return study


@router.get("")
@needs(Scope.READ)
def list_studies(
    replica: ReplicaDep,
    state: Annotated[StudyState | None, Query(description="Only studies in this state.")] = None,
    tag: Annotated[Tag | None, Query(description="Only studies that have this tag.")] = None,
    cursor: NumberCursor = None,
    limit: Limit = 100,
) -> Page[Study]:
    """List the studies, the newest first."""
    return studies.page(replica, state=state, tag=tag, cursor=cursor, limit=limit)


@router.get("/{name}", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
def read_study(name: StudyName, replica: ReplicaDep) -> Study:
    """Read a study: spec, state, counts, times."""
    return studies.read(replica, name)


@router.patch("/{name}", responses=problems(errors.StudyNotFound, errors.Conflict))
@needs(Scope.STUDIES)
def change_study(name: StudyName, wanted: StudyChange, replica: ReplicaDep, principal: PrincipalDep) -> Study:
    """Pause, stop or resume a study; change its budget, limits, bounds, tags, priority. What is left out stays."""
    return studies.change(replica, name, wanted, principal=principal)


@router.delete("/{name}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(errors.StudyNotFound))
@needs(Scope.STUDIES)
def delete_study(name: StudyName, replica: ReplicaDep, principal: PrincipalDep) -> None:
    """Delete a study with all its trials, its checks, confirmations and final models. Workers on them hear 410."""
    studies.delete(replica, name, principal=principal)


@router.get(
    "/{name}/best-trial",
    response_model=BestTrial,
    responses={
        200: {"headers": {"ETag": {"description": "Weak, of (number, ended).", "schema": {"type": "string"}}}},
        304: {"description": "The ETag of If-None-Match still holds."},
        **problems(errors.StudyNotFound, errors.NoCompleteTrial, errors.NoFeasibleTrial, errors.SeveralObjectives),
    },
)
@needs(Scope.READ)
async def read_best_trial(
    request: Request,
    name: StudyName,
    replica: ReplicaDep,
    wait: Wait = 0.0,
    if_none_match: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Read the best complete and feasible trial.

    With `wait`, and If-None-Match or no complete trial yet: answers when there is a better one or the study has
    ended, else after so many seconds.
    """

    def is_news(found: BestTrial | errors.NotFound) -> bool:
        if isinstance(found, errors.NotFound):
            return found.retry_after is None
        return not _holds(trials.etag(found), if_none_match)

    found = await until(request, replica.changes, lambda: _best(replica, name), is_news, seconds=wait)
    if isinstance(found, errors.NotFound):
        raise found
    headers = {"ETag": trials.etag(found)}
    if _holds(trials.etag(found), if_none_match):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    return Response(found.model_dump_json(), media_type="application/json", headers=headers)


@router.get("/{name}/best-trials", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
def list_best_trials(
    name: StudyName, replica: ReplicaDep, cursor: NumberCursor = None, limit: Limit = 100
) -> Page[BestTrial]:
    """List the complete and feasible trials that no other beats in every objective: with one objective, the best."""
    return trials.front(replica, name, cursor=cursor, limit=limit)


@router.get("/{name}/replay", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
def replay_study(name: StudyName, replica: ReplicaDep) -> Replay:
    """Play the study's curves again: what each pruner would have stopped, saved and lost.

    The study's own pruner as it is, the others with their defaults.
    """
    return replays.replay(replica, name)


@router.get("/{name}/trials", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
def list_trials(
    name: StudyName,
    replica: ReplicaDep,
    state: Annotated[TrialState | None, Query(description="Only trials in this state.")] = None,
    cursor: NumberCursor = None,
    limit: Limit = 100,
    sort: Annotated[
        str, Query(pattern="^-?number$", description="`number`, or `-number`: the newest first.")
    ] = "number",
) -> Page[Trial]:
    """List the trials of a study."""
    return trials.page(replica, name, state=state, cursor=cursor, limit=limit, is_descending=sort.startswith("-"))


@router.post(
    "/{name}/trials",
    status_code=status.HTTP_201_CREATED,
    responses=problems(errors.StudyNotFound, errors.Conflict, errors.InProgress),
)
@needs(Scope.STUDIES)
def give_trial(name: StudyName, trial: GivenTrial, replica: ReplicaDep, once: OnceDep, response: Response) -> Trial:
    """Give a study a trial: a point that is handed out next, or, with its `state`, a trial that ended elsewhere."""
    given = additions.give(replica, name, trial, once=once)
    response.headers.update(additions.location(given))
    return given


@router.post(
    "/{name}/trials/{number}/stop",
    responses=problems(errors.StudyNotFound, errors.TrialNotFound, errors.TrialEnded, errors.InProgress),
)
@needs(Scope.STUDIES)
def stop_trial(
    name: StudyName, number: TrialNumber, replica: ReplicaDep, principal: PrincipalDep, once: OnceDep
) -> Trial:
    """Stop a trial. Its worker hears so at its next call; a trial that waits for its next attempt is pruned at once."""
    return trials.stop(replica, name, number, principal=principal, once=once)


@router.get("/{name}/trials/{number}", responses=problems(errors.StudyNotFound, errors.TrialNotFound))
@needs(Scope.READ)
def read_trial(name: StudyName, number: TrialNumber, replica: ReplicaDep) -> TrialHistory:
    """Read a trial with every report and every attempt."""
    return trials.read(replica, name, number)


@router.get("/{name}/rounds", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
def list_rounds(name: StudyName, replica: ReplicaDep) -> Page[Round]:
    """List the rounds that have begun of a study that goes from coarse to fine, with the space of each."""
    return rounds.read(replica, name)


@router.get("/{name}/importances", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
def read_importances(
    name: StudyName,
    replica: ReplicaDep,
    method: ImportanceMethod = ImportanceMethod.PED_ANOVA,
    metric: Annotated[ParamName | None, Query(description="The objective; by default the first.")] = None,
) -> Importances:
    """Read how much each parameter mattered, as far as the complete trials tell."""
    return importances.read(replica, name, method=method, metric=metric)


@router.get("/{name}/progress", responses=problems(errors.StudyNotFound))
@needs(Scope.READ)
async def read_progress(name: StudyName, replica: ReplicaDep) -> Progress:
    """Read how the study went on: the best so far by trial and by seconds, and the sampler's gain over chance."""
    return await progress.read(replica, name)


def _holds(etag: str, if_none_match: str | None) -> bool:
    """Return whether an ETag is among those of If-None-Match; weakly compared (RFC 9110, section 13.1.2)."""
    given = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return "*" in given or etag.removeprefix("W/") in given


def _best(replica: ReplicaDep, name: str) -> BestTrial | errors.NotFound:
    try:
        return trials.best(replica, name)
    except (errors.NoCompleteTrial, errors.NoFeasibleTrial) as none:
        return none
