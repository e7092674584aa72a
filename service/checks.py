"""Check the gradients of a study's task: a study of its own, whose one trial a worker runs as a check."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from service import companions, cursors
from service.companions import Companion
from service.database import autocommit
from service.once import UNKEYED, Once
from service.principals import OPERATOR, Principal
from service.replica import Replica
from service.storage import audit, checks, datasets, studies, trials
from service.storage.dimensions import written
from service.storage.studies import StudyRow
from trimtab import fitting
from trimtab.checks import FIGURE, TENSOR, UNCOMPARED, UNCOMPARED_FIGURE, Check, CheckRequest, Rating
from trimtab.errors import Invalid
from trimtab.message import Metrics, Params, Scalar
from trimtab.protocol import Page
from trimtab.space import Categorical, Float, Int, Space
from trimtab.spec import TaskSpec
from trimtab.states import Purpose
from trimtab.tasks.checks import known

CREATED = 201

_log = logging.getLogger(__name__)


def check(
    replica: Replica, name: str, wanted: CheckRequest, *, principal: Principal = OPERATOR, once: Once = UNKEYED
) -> Check:
    """Have the gradients of a study's task checked by the next worker that has the task.

    Raises:
        StudyNotFound: There is no such study.
        Conflict: It has no task, or follows another study itself.
        Invalid: The params do not go with the task, or with its data.
        Unavailable: The database is away or busy.
    """
    with once.transaction(replica.engine) as connection:
        study, task = companions.locked_parent(connection, name)
        fixed = {**_defaults(study.current_spec.declared, task), **task.fixed, **wanted.params}
        companion = Companion(
            purpose=Purpose.CHECK,
            task=task.model_copy(update={"fixed": fixed, "repeats": 1}),
            metric=FIGURE,
            points=[{}],
            seed=study.spec.sampler.seed,
        )
        with _named_as(wanted.params):
            made = companions.follow(connection, study, companion)
            _check_data(connection, made, study.current_spec.declared, fixed)
        audit.note(connection, principal, "check study", name, by=made.spec.name)
        answer = _described(connection, made)
        once.keep(connection, answer, status=CREATED, headers=location(answer))
    _log.info("study %(study)s is created", {"study": made.spec.name})
    replica.offers.announce()
    return answer


def page(replica: Replica, name: str, *, cursor: str | None, limit: int) -> Page[Check]:
    """Return a page of the checks of a study, the newest first.

    Raises:
        StudyNotFound: There is no such study.
        Invalid: The cursor is none of ours.
        Unavailable: The database is away or busy.
    """
    with autocommit(replica.engine) as connection:
        study = studies.require(connection, name)
        before = cursors.integer(cursor)
        found = checks.of_study(connection, study.study_id, before=before, limit=limit + 1)
        rows = [row for study_id in found[:limit] if (row := studies.get(connection, study_id))]
        items = [_described(connection, row) for row in rows]
    return Page(items=items, next=str(found[limit - 1]) if len(found) > limit else None)


def location(made: Check) -> dict[str, str]:
    """Return the header that says where the study of a check is."""
    return {"Location": f"/v1/studies/{made.study}"}


@contextmanager
def _named_as(given: Params) -> Iterator[None]:
    """Have a refusal name the params that were given, wherever the study of the check has them.

    Raises:
        Invalid: The refusal.
    """
    try:
        yield
    except Invalid as error:
        problems = [problem.model_copy(update={"field": _given(problem.field, given)}) for problem in error.errors]
        raise Invalid("the task cannot be trained so", errors=problems) from error


def _given(field: str, params: Params) -> str:
    name = field.removeprefix("task.fixed.").removeprefix("space.").split(".")[0]
    return f"params.{name}" if name in params else field


def _check_data(connection: sa.Connection, made: StudyRow, searched: Space, fixed: Params) -> None:
    """Refuse params that do not go with the data.

    Raises:
        Invalid: Some do not.
    """
    assert made.spec.task is not None, "it has that of the study"
    task = made.spec.task.model_copy(update={"fixed": fixed})
    drawn = Space.model_construct({name: searched[name] for name in searched if name not in fixed})
    if problems := fitting.problems(task, drawn, datasets.facts_of(connection, task.data)):
        raise Invalid("the task does not go with the data", errors=problems)


def _defaults(searched: Space, task: TaskSpec) -> Params:
    """Return the task's own values of what a study searches, or the nearest to them that its space has.

    Lists and other choices have none: they are drawn by chance.
    """
    knobs = known(task.name).hyperparameters
    nearest = {name: _nearest(searched[name], knobs[name].default) for name in searched if name in knobs}
    return {name: value for name, value in nearest.items() if value is not None}


def _nearest(parameter: Float | Int | Categorical, default: Scalar) -> Scalar | None:
    if parameter.per:
        return None
    if isinstance(parameter, Categorical):
        return default if parameter.contains(default) else None
    assert isinstance(default, int | float), "a hyperparameter that is searched as a number is one"
    return min(max(default, parameter.low), parameter.high)


def _described(connection: sa.Connection, study: StudyRow) -> Check:
    trial = trials.by_number(connection, study.study_id, 0)
    assert trial is not None, "it was made with its trial"
    tensors = {name.removeprefix(TENSOR): figure for name, figure in trial.metrics.items() if name.startswith(TENSOR)}
    others = {name: figure for name, figure in trial.metrics.items() if not name.startswith(TENSOR)}
    return Check(
        study=study.spec.name,
        params=written(study.spec.declared, trial.point),
        state=trial.state,
        outcome=trial.outcome,
        rating=rating(trial.metrics),
        figure=others.pop(FIGURE, None),
        tensors=tensors,
        metrics=others,
        reason=trial.reason,
        created_at=study.created_at,
        completed_at=study.ended_at,
    )


def rating(metrics: Metrics) -> Rating | None:
    """Return what the figures of a check say together; None: there are none.

    The worst one counts: among many parameters that are right a few wrong ones hardly show.
    """
    figures = [figure for name, figure in metrics.items() if name == FIGURE or name.startswith(TENSOR)]
    if metrics.get(UNCOMPARED):
        figures.append(UNCOMPARED_FIGURE)
    return Rating.of(max(1.0 if figure is None else figure for figure in figures)) if figures else None
