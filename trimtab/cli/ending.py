"""How commands that ask the service end where it says no."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from trimtab.errors import Refused, TrimtabError
from trimtab.rendering import printable


@contextmanager
def ended() -> Iterator[None]:
    """End with one line where a command cannot be done: with 1 if the service said no, else with 2."""
    try:
        yield
    except Refused as error:
        _end(str(error), code=1 if error.is_answer else 2)
    except TrimtabError as error:
        _end(str(error), code=2)
    except OSError as error:
        if error.errno == errno.EPIPE:  # Who reads the output has left; that is dealt with further out.
            raise
        _end(_said(error), code=2)


def _said(error: OSError) -> str:
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _end(said: str, *, code: int) -> NoReturn:
    typer.echo(f"trimtab: {printable(said)}", err=True)
    sys.exit(code)
