"""Groups of commands that ask the service."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup


class Asking(TyperGroup):
    """Commands that end with one line where they cannot be done."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was given."""
        # Errors come with all messages: a fifth of a second, which who only asks for help need not wait.
        from trimtab.cli.ending import ended  # noqa: PLC0415

        with ended():
            return super().invoke(ctx)


def verbs(help_: str | None = None, group: type[Asking] = Asking) -> typer.Typer:
    """Return a group that commands are added to."""
    return typer.Typer(cls=group, help=help_, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


@contextmanager
def leaving(goes_on: str) -> Iterator[None]:
    """Say at Ctrl-C what goes on without whoever watched, and how to come back."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"left; {goes_on}", err=True)
        raise typer.Exit(130) from None
