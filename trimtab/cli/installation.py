"""`trimtab doctor`: whether all that a study needs is in place."""

import os

import typer
from rich.text import Text

from trimtab.cli.arguments import Json
from trimtab.cli.inspecting import inspect
from trimtab.cli.printing import console
from trimtab.installation import Inspected, Standing
from trimtab.rendering import printable

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_STYLES = {Standing.OK: "green", Standing.LOOK: "yellow", Standing.WRONG: "bold red"}


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check an installation: service, token, versions, database, workers and what waits for them.

    Each line is ok, look or wrong, with what to do. Exit codes: 0 nothing is wrong; 1 something is.
    """
    found = []
    for inspected in inspect(os.environ):
        found.append(inspected)
        if not as_json:
            console().print(_line(inspected), soft_wrap=True)
    if as_json:
        typer.echo("[" + ",\n ".join(inspected.model_dump_json() for inspected in found) + "]")
    raise typer.Exit(1 if any(inspected.standing is Standing.WRONG for inspected in found) else 0)


def _line(inspected: Inspected) -> Text:
    line = Text(f"{inspected.standing:<6}", style=_STYLES[inspected.standing])
    line.append(f"{inspected.what:<9} ", style="bold")
    line.append(printable(inspected.text), style="default")
    if inspected.remedy:
        line.append(f"\n{'':16}{printable(inspected.remedy)}", style="default")
    return line
