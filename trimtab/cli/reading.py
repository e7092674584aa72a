"""`trimtab study list|show`: which studies there are, and how far they are."""

from typing import Annotated

import typer
from rich.console import RenderableType

from trimtab import rendering
from trimtab.cli.arguments import LISTED, Json, Limit, Name
from trimtab.cli.asking import verbs
from trimtab.cli.printing import show, show_all
from trimtab.client import Client
from trimtab.errors import NoCompleteTrial, NoFeasibleTrial, SeveralObjectives
from trimtab.protocol import BestTrial, Study
from trimtab.states import StudyState

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
    """Show a study: how far it is, its spec, its best trial."""
    with Client() as client:
        found = client.study(name)
        best = None if as_json else _best(client, name)

    def view(study: Study) -> RenderableType:
        return rendering.study_view(study, best)

    show(found, view, as_json=as_json)


def _best(client: Client, name: str) -> BestTrial | None:
    try:
        return client.best_trial(name)
    except (NoCompleteTrial, NoFeasibleTrial, SeveralObjectives):
        return None
