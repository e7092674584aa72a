"""Values as they are typed: NAME=VALUE."""

import json
from collections.abc import Iterable
from typing import Any

import typer


def point(pairs: Iterable[str]) -> dict[str, Any]:
    """Return values by name. A value is JSON where it can be read so, else a word: 0.01, true, [128, 64], adam.

    Raises:
        BadParameter: One of them is no NAME=VALUE, or a name stands twice.
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not name or not separator or name in found:
            raise typer.BadParameter(f"{pair!r} is no NAME=VALUE, or its name stands twice")
        found[name] = _value(text)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
