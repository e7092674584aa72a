"""`trimtab study check|confirm|final`: what a worker does once for a study, and whoever asks waits for."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.check_view import check_view
from trimtab.cli.arguments import Json, Name, check_place
from trimtab.cli.asking import leaving, verbs
from trimtab.cli.printing import show
from trimtab.client import Client
from trimtab.errors import FinalNotFound
from trimtab.final_view import confirmation_view, final_view
from trimtab.finals import Confirm, FinalState
from trimtab.validation import built
from trimtab.watching import follow, wait_for_final

app = verbs()


@app.command()
def check(name: Name, as_json: Json = False) -> None:
    """Have the gradients of a study's task checked by a worker; wait, and say what came of it.

    Exit codes: 0 nothing to mend; 1 a tensor is suspicious or wrong, or there are no figures.
    """
    with Client() as client:
        asked = client.check_gradients(name)
        _wait(client, asked.study)
        found = next(check for check in client.checks(name) if check.study == asked.study)
    show(found, check_view, as_json=as_json, soft_wrap=True)
    raise typer.Exit(0 if found.rating and found.rating.is_passed else 1)


@app.command()
def confirm(
    name: Name,
    top: Annotated[int, typer.Option(help="How many of the best trials.")] = 3,
    repeats: Annotated[int, typer.Option(help="Trainings of each.")] = 5,
    as_json: Json = False,
) -> None:
    """Have the best trials of a study trained again, with fresh seeds; wait, and say which one is best."""
    with Client() as client:
        asked = client.confirm(name, top=top, repeats=repeats)
        _wait(client, asked.study)
        found = client.confirmation(name)
    show(found, confirmation_view, as_json=as_json)


@app.command()
def final(
    name: Name,
    repeats: Annotated[
        int | None, typer.Option(help="Confirm the best trials first, by so many trainings of each.")
    ] = None,
    top: Annotated[int, typer.Option(help="How many of them.")] = 3,
    override: Annotated[str | None, typer.Option(help="Why the test set is to be read again; recorded.")] = None,
    download: Annotated[Path | None, typer.Option(help="Where to write the model, for trimtab.load_model.")] = None,
    as_json: Json = False,
) -> None:
    """Have the final model of a study trained and its test set read, once; wait for it. Where there is one: show it.

    Exit codes: 0 it is complete; 1 it failed, or a newer one that was asked for did.
    """
    if download:
        check_place(download)
    with Client() as client:
        if override is not None or not _has_final(client, name):
            before = None if repeats is None else built(Confirm, {"top": top, "repeats": repeats})
            client.make_final(name, confirm=before, override=override)
        with leaving(f"the final model goes on. Come back: trimtab study final {name}"):
            found = wait_for_final(client, name)
        if download and found.model:
            client.fetch_model(name, download)
    show(found, final_view, as_json=as_json, soft_wrap=True)
    raise typer.Exit(0 if found.state is FinalState.COMPLETE else 1)


def _wait(client: Client, name: str) -> None:
    with leaving(f"it goes on. Come back: trimtab study watch {name}"):
        for _ in follow(client, name):
            pass


def _has_final(client: Client, name: str) -> bool:
    """Return whether there is a final model, or one that failed after its reading: it is not asked for once more."""
    try:
        found = client.final(name)
    except FinalNotFound:
        return False
    return found.state is not FinalState.FAILED or bool(found.reads)
