"""Groups of commands that ask the service, and how they end where it says no."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from trimtab.errors import Refused, TrimtabError
from trimtab.rendering import printable


class Asking(TyperGroup):
    """Commands that end with one line where they cannot be done: with 1 if the service said no, else with 2."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was given."""
        try:
            return super().invoke(ctx)
        except Refused as error:
            _end(str(error), code=1 if error.is_answer else 2)
        except TrimtabError as error:
            _end(str(error), code=2)
        except OSError as error:
            if error.errno == errno.EPIPE:  # Who reads the output has left; that is dealt with further out.
                raise
            _end(_said(error), code=2)


def verbs(help_: str | None = None) -> typer.Typer:
    """Return a group that commands are added to."""
    return typer.Typer(cls=Asking, help=help_, no_args_is_help=True, rich_markup_mode=None, add_completion=False)


@contextmanager
def leaving(goes_on: str) -> Iterator[None]:
    """Say at Ctrl-C what goes on without whoever watched, and how to come back."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo(f"left; {goes_on}", err=True)
        raise typer.Exit(130) from None


def _said(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _end(said: str, *, code: int) -> NoReturn:
    typer.echo(f"trimtab: {printable(said)}", err=True)
    sys.exit(code)
