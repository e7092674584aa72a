"""What a command prints: for people, or for machines."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import typer
from rich.console import Console, RenderableType

from trimtab.message import Message

_WIDE = 1000
"""Columns of a pipe: whoever reads it wants whole lines."""

Found = TypeVar("Found", bound=Message)


def console() -> Console:
    """Return where people look: with colours in a terminal, unless NO_COLOR is set, and with whole lines in a pipe."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, markup=False, emoji=False)


def show(found: Found, view: Callable[[Found], RenderableType], *, as_json: bool, soft_wrap: bool = False) -> None:
    """Print what the service answered.

    Args:
        found: The answer.
        view: What people see of it.
        as_json: For machines instead.
        soft_wrap: Lines are sentences, which the terminal may wrap.
    """
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        console().print(view(found), soft_wrap=soft_wrap)


def show_all(found: Sequence[Found], view: Callable[[Sequence[Found]], RenderableType], *, as_json: bool) -> None:
    """Print the items of a list: for machines as an array with a line for each."""
    if as_json:
        typer.echo("[" + ",\n ".join(item.model_dump_json() for item in found) + "]")
    else:
        console().print(view(found))


def say(text: str, facts: Mapping[str, str | int | bool], *, as_json: bool) -> None:
    """Print what was done where the service has nothing to add."""
    typer.echo(json.dumps(facts) if as_json else text)
