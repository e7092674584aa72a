"""Commands that are not imported before somebody uses them: help must come at once."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class Later(TyperCommand):
    """A command, or a group of them, that is not imported before somebody uses it.

    Args:
        name: As it is typed.
        module: Below `trimtab.cli`, whose `app` it is, or is one of.
        help: In a line.
    """

    def __init__(self, name: str, module: str, help: str) -> None:  # noqa: A002  # the base class's name
        super().__init__(name, help=help, rich_markup_mode=None)
        self._module = module

    def found(self) -> Any:
        """Return the command itself; Typer's own class of it is private."""
        app = get_command(import_module(f"trimtab.cli.{self._module}").app)
        command = getattr(app, "commands", {}).get(self.name, app)
        command.name = self.name
        return command

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Return the context of the command itself, so that it is the one that is run, completed and explained."""
        return self.found().make_context(*args, **extra)


def add_later(group: TyperGroup, commands: Mapping[str, tuple[str, str]]) -> None:
    """Add commands to a group: by name the module, and what it is for."""
    for name, (module, help_) in commands.items():
        group.add_command(Later(name, module, help_))
