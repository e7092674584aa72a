"""`trimtab study export|logs`: what a study has left behind, as a file or line by line."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.arguments import Json, Name, Number, check_place
from trimtab.cli.asking import leaving, verbs
from trimtab.client import Client
from trimtab.exports import ExportFormat, ExportTable
from trimtab.rendering import printable
from trimtab.trial_logs import LogLine

app = verbs()


@app.command()
def export(
    name: Name,
    file: Annotated[
        Path | None, typer.Argument(help="Where to write, by its end .csv, .json or .parquet; else standard output.")
    ] = None,
    form: Annotated[ExportFormat | None, typer.Option("--format", help="Where no file says it; else csv.")] = None,
    table: Annotated[ExportTable, typer.Option(help="A row for each trial, or for each report.")] = ExportTable.TRIALS,
) -> None:
    """Write the trials of a study as a table."""
    if file:
        check_place(file)
    with Client() as client:
        if file:
            client.export(name, file, form, table=table)
            return
        for part in client.exported(name, form or ExportFormat.CSV, table=table):
            sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


@app.command()
def logs(
    name: Name,
    number: Number,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the trial has ended.")] = False,
    tail: Annotated[int | None, typer.Option(min=0, help="So many lines of the end; else all.")] = None,
    attempt: Annotated[int | None, typer.Option(min=1, help="Only of this one; else of all.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the trainings of a trial wrote. With --json: an object on each line."""
    with leaving(f"the trial goes on. Come back: trimtab study logs {name} {number} --follow"), Client() as client:
        read = client.follow_logs if follow else client.logs
        is_silent = not _echo(read(name, number, tail=tail, attempt=attempt), as_json=as_json)
        if is_silent and tail != 0:
            typer.echo(_why_silent(client, name, number), err=True)


def _why_silent(client: Client, name: str, number: int) -> str:
    if not client.trial(name, number).attempts:
        return f"trial {number} has no lines: it waits for a worker"
    if client.study(name).spec.task is None:
        return f"trial {number} has no lines: what your own code writes stays where it runs"
    return f"trial {number} has no lines: its training has written none"


def _echo(lines: Iterable[LogLine], *, as_json: bool) -> bool:
    """Print lines; return whether there were any."""
    is_any = False
    for line in lines:
        is_any = True
        if as_json:
            typer.echo(line.model_dump_json())
            continue
        if line.left_out:
            typer.echo(f"… {line.left_out} lines are not kept", err=True)
        typer.echo(printable(line.text))
    return is_any
