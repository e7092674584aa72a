"""/new/draft: what would become of the study that somebody writes on /new, as they write it."""

from collections.abc import Iterator

from fastapi import APIRouter, Response

from service import drafts, workers
from service.api.dependencies import ReplicaDep
from service.api.scopes import needs
from service.drafts import Draft
from service.principals import Scope
from service.replica import Replica
from service.web.forms import FormDep
from service.web.pages import PageRoute
from service.web.written import check_exact
from trimtab.errors import Conflict, Invalid
from trimtab.installation import command_for
from trimtab.message import Message
from trimtab.protocol import FieldProblem
from trimtab.space import Space

router = APIRouter(route_class=PageRoute)


class Advice(Message):
    """What whoever creates the study should know.

    Args:
        text: In words.
        command: What to do about it, on a machine that is to train; None: nothing that a command does.
    """

    text: str
    command: str | None = None


class Examined(Message):
    """What would become of a study.

    Args:
        space: The default space of its task, for its data; None: there is none.
        problems: Why it would be refused.
        advice: If it would not.
    """

    space: Space | None
    problems: tuple[FieldProblem, ...] = ()
    advice: tuple[Advice, ...] = ()


@router.post("/new/draft")
@needs(Scope.STUDIES)
def examine_draft(replica: ReplicaDep, form: FormDep) -> Response:
    """Answer what would become of a study. Nothing is made."""
    written = str(form.get("spec", ""))
    draft = drafts.examine(replica, written.encode())
    refused = draft.refused or _inexact(written)
    problems = _problems(refused) if refused else ()
    examined = Examined(space=draft.space, problems=problems, advice=tuple(_advice(replica, draft)))
    return Response(examined.model_dump_json(exclude_none=True), media_type="application/json")


def _inexact(written: str) -> Invalid | None:
    try:
        check_exact(written)
    except Invalid as refused:
        return refused
    return None


def _problems(refused: Conflict | Invalid) -> tuple[FieldProblem, ...]:
    """Return what is wrong with each field; a conflict is about the name."""
    field = "name" if isinstance(refused, Conflict) else "body"
    return refused.errors or (FieldProblem(field=field, message=refused.detail),)


def _advice(replica: Replica, draft: Draft) -> Iterator[Advice]:
    yield from (Advice(text=f"{warning[0].upper()}{warning[1:]}.") for warning in draft.warnings)
    task = draft.spec.task.name if draft.spec and draft.spec.task else None
    if task and task not in workers.tasks(replica):
        yield Advice(
            text=f"No live worker has the task {task}. On a machine that is to train:",
            command=command_for(task),
        )
