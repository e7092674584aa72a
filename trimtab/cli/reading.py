"""`trimtab study list|show`: which studies there are, and how far they are."""

from typing import Annotated

import typer
from rich.console import RenderableType

from trimtab import rendering
from trimtab.cli.arguments import LISTED, Json, Limit, Name
from trimtab.cli.asking import verbs
from trimtab.cli.failing import failing
from trimtab.cli.printing import show, show_all
from trimtab.client import Client
from trimtab.errors import NoCompleteTrial, NoFeasibleTrial, SeveralObjectives
from trimtab.protocol import BestTrial, Study
from trimtab.states import StudyState
from trimtab.waiting import nobody

app = verbs()


@app.command("list")
def list_studies(
    state: Annotated[StudyState | None, typer.Option(help="Only those in it.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only those that have it.")] = None,
    limit: Limit = LISTED,
    as_json: Json = False,
) -> None:
    """List the studies, the newest first."""
    with Client() as client:
        found = list(client.studies(limit, state, tag))
    show_all(found, rendering.studies_table, as_json=as_json)


@app.command("show")
def show_study(name: Name, as_json: Json = False) -> None:
    """Show a study: how far it is, why trials failed, what it waits for, its spec, its best trial."""
    with Client() as client:
        found = client.study(name)
        best = None if as_json else _best(client, name)
        failed = "" if as_json else failing(client, found)
        waits = "" if as_json else _waits(client, found)

    def view(study: Study) -> RenderableType:
        return rendering.study_view(study, best, failed=failed, waits=waits)

    show(found, view, as_json=as_json)


def _waits(client: Client, study: Study) -> str:
    """Return what keeps a study that runs from having any trial in training; empty: nothing that is to be seen."""
    is_waiting = study.state is StudyState.RUNNING and not study.counts.running
    return (nobody(client, study) or "") if is_waiting else ""


def _best(client: Client, name: str) -> BestTrial | None:
    try:
        return client.best_trial(name)
    except (NoCompleteTrial, NoFeasibleTrial, SeveralObjectives):
        return None
