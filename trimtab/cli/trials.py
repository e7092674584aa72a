"""`trimtab study best|trials|trial|enqueue`: the trials of a study."""

from itertools import islice
from typing import Annotated

import typer

from trimtab import rendering
from trimtab.cli.arguments import Json, Name, Number
from trimtab.cli.asking import verbs
from trimtab.cli.points import point
from trimtab.cli.printing import show, show_all
from trimtab.client import Client
from trimtab.errors import SeveralObjectives
from trimtab.protocol import Trial
from trimtab.states import TrialState
from trimtab.trial_view import trial_view, trials_table

app = verbs()


@app.command()
def best(name: Name, as_json: Json = False) -> None:
    """Show the best trial so far; with several objectives, a list of those that no other beats in every one."""
    with Client() as client:
        try:
            found = client.best_trial(name)
        except SeveralObjectives:
            show_all(client.best_trials(name), rendering.front_table, as_json=as_json)
            return
    show(found, rendering.best_view, as_json=as_json)


@app.command()
def trials(
    name: Name,
    state: Annotated[TrialState | None, typer.Option(help="Only those in it.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="How many at most; all where nothing is said.")] = None,
    as_json: Json = False,
) -> None:
    """List the trials of a study by number: their values, and why they were stopped or failed.

    A long reason is cut: `trimtab study trial` shows all of it.
    """
    with Client() as client:
        found = list(islice(client.trials(name, state), limit))
    show_all(found, trials_table, as_json=as_json)


@app.command()
def trial(name: Name, number: Number, as_json: Json = False) -> None:
    """Show a trial: how it went, its curves, its params, its attempts."""
    with Client() as client:
        found = client.trial(name, number)
    show(found, trial_view, as_json=as_json)


@app.command()
def enqueue(
    name: Name,
    params: Annotated[list[str], typer.Argument(help="NAME=VALUE; those left out are drawn by chance.")],
    as_json: Json = False,
) -> None:
    """Give a study a point to be trained: it is handed out before new ones, and counts for the budget."""
    wanted = point(params)
    with Client() as client:
        given = client.enqueue(name, wanted)
    show(given, _queued, as_json=as_json)


def _queued(given: Trial) -> str:
    return f"trial {given.number} of {given.study} waits for a worker"
