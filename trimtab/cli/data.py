"""`trimtab data`: put data sets, and see which there are."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.arguments import DatasetName, Json
from trimtab.cli.asking import verbs
from trimtab.cli.printing import say, show, show_all
from trimtab.client import Client
from trimtab.dataset_view import dataset_view, datasets_table
from trimtab.datasets import TargetKind
from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem

app = verbs("Put data sets, and see which there are.")


@app.command()
def put(
    file: Annotated[Path, typer.Argument(help="A .csv, .parquet, .npz or .tar.", exists=True, dir_okay=False)],
    name: Annotated[str | None, typer.Option(help="What to call it; the name of the file if nothing is said.")] = None,
    target: Annotated[str | None, typer.Option(help="The column that is learned, of .csv and .parquet.")] = None,
    kind: Annotated[TargetKind, typer.Option(help="What is learned.")] = TargetKind.AUTO,
    as_json: Json = False,
) -> None:
    """Put a file as the newest version of a data set."""
    with Client() as client:
        try:
            found = client.put_dataset(name or file.stem, file, target=target, kind=kind)
        except Invalid as error:
            if target is None:
                error.errors = tuple(map(_as_option, error.errors))
            raise
    show(found, dataset_view, as_json=as_json)


@app.command("list")
def list_datasets(as_json: Json = False) -> None:
    """List the data sets by name, the built-in ones among them."""
    with Client() as client:
        found = list(client.datasets())
    show_all(found, datasets_table, as_json=as_json)


@app.command("show")
def show_dataset(name: DatasetName, as_json: Json = False) -> None:
    """Show what is in a data set."""
    with Client() as client:
        found = client.dataset(name)
    show(found, dataset_view, as_json=as_json)


@app.command()
def delete(name: DatasetName, as_json: Json = False) -> None:
    """Delete every version of a data set that no study needs."""
    with Client() as client:
        client.delete_dataset(name)
    say(f"data set {name} is deleted", {"dataset": name, "deleted": True}, as_json=as_json)


def _as_option(problem: FieldProblem) -> FieldProblem:
    """Return what is wrong with the target as who types it calls it."""
    return problem.model_copy(update={"field": "--target COLUMN"}) if problem.field == "target" else problem
