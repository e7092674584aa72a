"""Arguments that several commands have."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from trimtab.client import Client
from trimtab.errors import Misconfigured, TrimtabError, Unreachable

LISTED = 20
"""Items of a list where nothing is said."""

_COMPLETED = 100
_PATIENCE_SECONDS = 1.0
"""Whoever waits for a name to be completed does not wait for long."""


def complete_study(incomplete: str) -> list[str]:
    """Return the names of studies that begin so, the newest first; none where the service cannot be asked."""
    try:
        with Client(timeout=_PATIENCE_SECONDS, sleep=_give_up) as client:
            return [study.name for study in client.studies(_COMPLETED) if study.name.startswith(incomplete)]
    except TrimtabError:
        return []


def complete_dataset(incomplete: str) -> list[str]:
    """Return the names of data sets that begin so; none where the service cannot be asked."""
    try:
        with Client(timeout=_PATIENCE_SECONDS, sleep=_give_up) as client:
            return [dataset.name for dataset in client.datasets() if dataset.name.startswith(incomplete)]
    except TrimtabError:
        return []


Name = Annotated[str, typer.Argument(help="The study.", autocompletion=complete_study)]
Number = Annotated[int, typer.Argument(min=0, help="Of the trial.")]
DatasetName = Annotated[str, typer.Argument(help="The data set.", autocompletion=complete_dataset)]
Limit = Annotated[int, typer.Option(min=1, help="How many at most.")]
Json = Annotated[bool, typer.Option("--json", help="For machines.")]


def check_place(file: Path) -> None:
    """Check that there is a folder for a file that will be written.

    Raises:
        Misconfigured: There is none, or the file itself is a folder.
    """
    if file.is_dir():
        raise Misconfigured(f"{file} is a folder: name a file in it")
    if not file.parent.is_dir():
        raise Misconfigured(f"{file} cannot be written: there is no folder {file.parent}")


def _give_up(_: float) -> NoReturn:
    raise Unreachable("no time to try again")
