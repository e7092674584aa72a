"""`trimtab study diagnosis|prescribe|replay|importances`: what a study has taught, and what follows from it."""

from typing import Annotated

import typer

from trimtab.cli.arguments import Json, Name
from trimtab.cli.asking import verbs
from trimtab.cli.creating import where_next
from trimtab.cli.printing import show
from trimtab.client import Client
from trimtab.diagnosis_view import diagnosis_view
from trimtab.learned import ImportanceMethod
from trimtab.lesson_view import importances_view, replay_view

app = verbs()


@app.command()
def diagnosis(
    name: Name,
    trial: Annotated[int | None, typer.Option(min=0, help="One trial, not the best with all others.")] = None,
    as_json: Json = False,
) -> None:
    """Ask the doctor what ails a study, and which edits to its spec would help."""
    with Client() as client:
        found = client.diagnosis(name, trial)
    show(found, diagnosis_view, as_json=as_json)


@app.command()
def prescribe(
    name: Name,
    called: Annotated[str | None, typer.Option("--name", help="Of the new study; else the next number.")] = None,
    edit: Annotated[list[str] | None, typer.Option(help="The path of one that is wanted; else all.")] = None,
    as_json: Json = False,
) -> None:
    """Create the next study: this one with the doctor's edits."""
    with Client() as client:
        created = client.prescribe(name, called=called, edits=edit)
    show(created, where_next, as_json=as_json, soft_wrap=True)


@app.command()
def replay(name: Name, as_json: Json = False) -> None:
    """Show what each pruner would have stopped of a study, what it would have saved and lost."""
    with Client() as client:
        found = client.replay(name)
    show(found, replay_view, as_json=as_json)


@app.command()
def importances(
    name: Name,
    method: Annotated[ImportanceMethod, typer.Option(help="How it is measured.")] = ImportanceMethod.PED_ANOVA,
    metric: Annotated[str | None, typer.Option(help="The objective; the first where nothing is said.")] = None,
    as_json: Json = False,
) -> None:
    """Show how much each parameter mattered."""
    with Client() as client:
        found = client.importances(name, method, metric=metric)
    show(found, importances_view, as_json=as_json)
