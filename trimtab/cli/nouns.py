"""The command line as a whole. Of its nouns only the one that is used is imported: help must come at once."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import trimtab

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


class Noun(TyperCommand):
    """A noun that is not imported before somebody uses it.

    Args:
        name: As it is typed.
        module: Below `trimtab.cli`, with the noun as its `app`.
        help: In a line.
    """

    def __init__(self, name: str, module: str, help: str) -> None:  # noqa: A002  # the base class's name
        super().__init__(name, help=help, rich_markup_mode=None)
        self._module = module

    def found(self) -> Any:
        """Return the command itself; Typer's own class of it is private."""
        command = get_command(import_module(f"trimtab.cli.{self._module}").app)
        command.name = self.name
        return command

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Return the context of the command itself, so that it is the one that is run, completed and explained."""
        return self.found().make_context(*args, **extra)


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
    for name, (module, help_) in _NOUNS.items():
        found.add_command(Noun(name, module, help_))
    return found


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which this is, and end.")
    ] = False,
) -> None:
    """Do nothing: each noun has verbs of its own."""
