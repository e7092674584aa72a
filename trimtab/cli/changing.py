"""`trimtab study pause|resume|stop|budget|tag|priority|delete`: change a study, or take it away."""

from typing import Annotated

import typer

from trimtab.budget import Budget
from trimtab.cli.arguments import Json, Name
from trimtab.cli.asking import verbs
from trimtab.cli.points import point
from trimtab.cli.printing import say, show
from trimtab.client import Client
from trimtab.protocol import Study
from trimtab.rendering import budget_line, counts_line, printable
from trimtab.states import StudyState

app = verbs()

_LIMITS = ", ".join(Budget.model_fields)


@app.command()
def pause(name: Name, as_json: Json = False) -> None:
    """Hand out no more trials of a study until it is resumed; those that run go on."""
    _change(name, StudyState.PAUSED, as_json=as_json)


@app.command()
def resume(name: Name, as_json: Json = False) -> None:
    """Set a paused or stopped study running again."""
    _change(name, StudyState.RUNNING, as_json=as_json)


@app.command()
def stop(name: Name, as_json: Json = False) -> None:
    """End a study by hand; its running trials may come to their end."""
    _change(name, StudyState.STOPPED, as_json=as_json)


@app.command()
def budget(
    name: Name,
    limits: Annotated[list[str], typer.Argument(help=f"LIMIT=NUMBER, or LIMIT=null for none: {_LIMITS}.")],
    as_json: Json = False,
) -> None:
    """Change what a study may use up. More of it sets a complete study running again, unless every point was tried."""
    wanted = point(limits)
    with Client() as client:
        changed = client.change_study(name, budget=wanted)
    show(changed, _state_line, as_json=as_json, soft_wrap=True)


@app.command()
def tag(
    name: Name,
    tags: Annotated[list[str] | None, typer.Argument(help="All that it is to have.")] = None,
    none: Annotated[bool, typer.Option("--none", help="It is to have none.")] = False,
    as_json: Json = False,
) -> None:
    """Change the tags of a study: words to find it again by."""
    if bool(tags) == none:
        raise typer.BadParameter("give either TAGS or --none")
    with Client() as client:
        changed = client.change_study(name, tags=tags or [])
    show(changed, _tags_line, as_json=as_json, soft_wrap=True)


@app.command(context_settings={"ignore_unknown_options": True})
def priority(
    name: Name,
    number: Annotated[int, typer.Argument(help="0 where nothing was said; the highest is served first.")],
    as_json: Json = False,
) -> None:
    """Change which studies workers are given trials of first."""
    with Client() as client:
        changed = client.change_study(name, priority=number)
    show(changed, _priority_line, as_json=as_json, soft_wrap=True)


@app.command()
def delete(name: Name, as_json: Json = False) -> None:
    """Delete a study with all its trials."""
    with Client() as client:
        client.delete_study(name)
    say(f"study {name} is deleted", {"study": name, "deleted": True}, as_json=as_json)


def _change(name: str, state: StudyState, *, as_json: bool) -> None:
    with Client() as client:
        changed = client.change_study(name, state=state)
    show(changed, _state_line, as_json=as_json, soft_wrap=True)


def _tags_line(study: Study) -> str:
    tags = ", ".join(map(printable, study.spec.tags))
    return f"study {study.name} has {f'the tags {tags}' if tags else 'no tags'}"


def _priority_line(study: Study) -> str:
    return f"study {study.name} has the priority {study.spec.priority}"


def _state_line(study: Study) -> str:
    budget = budget_line(study.spec.budget, study.used)
    why = f"; {printable(study.reason)}" if study.reason else ""
    return f"study {study.name} is {study.state}: {counts_line(study.counts)}; {budget}{why}"
