"""The command line as a whole."""

from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

import trimtab
from trimtab.cli.later import add_later

_HELP = """Tune deep networks: studies and workers of a Trimtab service.

TRIMTAB_SERVER says where the service is, TRIMTAB_TOKEN or TRIMTAB_TOKEN_FILE who asks.
Exit codes: 0 it was done; 1 the service said no; 2 it cannot be asked, or the command is wrong; 130 Ctrl-C.
"""

_NOUNS = {
    "study": ("studies", "Create, follow and read studies."),
    "data": ("data", "Put data sets, and see which there are."),
    "worker": ("workers", "See who trains."),
    "token": ("tokens", "Say who may call, and to do what."),
    "doctor": ("installation", "Check an installation: service, token, workers, versions."),
}
"""By name the module below `trimtab.cli` whose `app` it is, and what it is for."""


def _say_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(trimtab.__version__)
        raise typer.Exit


def command() -> TyperGroup:
    """Return the command line."""
    app = typer.Typer(help=_HELP, no_args_is_help=True, rich_markup_mode=None)
    app.callback()(_options)
    found = get_command(app)
    assert isinstance(found, TyperGroup)
    add_later(found, _NOUNS)
    return found


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which this is, and end.")
    ] = False,
) -> None:
    """Do nothing: each noun has verbs of its own."""
