"""How values are written for people: filters of the templates."""

from collections.abc import Callable, Mapping
from datetime import datetime

from markupsafe import Markup

_DIGITS = 4

NOTHING = "\N{EN DASH}"
"""Where there is no value."""


def number(value: float | None) -> str:
    """Return a figure with four digits that count; a dash where there is none."""
    return NOTHING if value is None else f"{value:.{_DIGITS}g}"


def moment(value: datetime | None) -> Markup:
    """Return a time; the script shows it in the reader's zone, and as an age where it is asked for."""
    if value is None:
        return Markup(NOTHING)  # noqa: S704  # a constant
    text = value.isoformat(timespec="seconds")
    return Markup('<time datetime="{0}">{0}</time>').format(text)


FILTERS: Mapping[str, Callable[..., object]] = {"number": number, "moment": moment}
