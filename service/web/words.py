"""How values are written for people: filters of the templates."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from markupsafe import Markup
from pydantic import JsonValue

from service.web.metric_words import meaning
from trimtab.installation import command_for
from trimtab.message import Scalar, Value
from trimtab.protocol import Trial
from trimtab.states import Purpose

_DIGITS = 4
_LARGEST = 1e9
"""Up to here a number of things, such as the parameters of a network, is read digit by digit."""

_PLAIN = 10
"""From here on a tenth says nothing."""

_TIMES = (("s", 60.0), ("min", 60.0), ("h", 24.0), ("d", math.inf))
_SIZES = (("B", 1024.0), ("KiB", 1024.0), ("MiB", 1024.0), ("GiB", 1024.0), ("TiB", math.inf))

_PURPOSES = {Purpose.CHECK: "gradient check", Purpose.FINAL: "final model"}

NOTHING = "\N{EN DASH}"
"""Where there is no value."""


def number(value: float | None) -> str:
    """Return a figure with four digits that count, a large one to its unit; a dash where there is none."""
    if value is None:
        return NOTHING
    text = f"{value:.{_DIGITS}g}"
    return f"{value:,.0f}" if "e+" in text and abs(value) < _LARGEST else text


def moment(value: datetime | None) -> Markup:
    """Return a time; the script shows it in the reader's zone, and as an age where it is asked for."""
    if value is None:
        return Markup(NOTHING)  # noqa: S704  # a constant
    text = value.isoformat(timespec="seconds")
    return Markup('<time datetime="{0}">{0}</time>').format(text)


def duration(seconds: float | None) -> str:
    """Return a time span in the largest unit that it has one of; a dash where there is none."""
    return NOTHING if seconds is None else _scaled(seconds, _TIMES)


def age(since: datetime, now: datetime) -> str:
    """Return how long ago something was."""
    return f"{duration((now - since).total_seconds())} ago"


def size(count: int) -> str:
    """Return a number of bytes in the largest unit that it has one of."""
    return _scaled(count, _SIZES)


def param(value: Value | None) -> str:
    """Return the value of a parameter; of a list all of them; a dash where it has none."""
    match value:
        case None:
            return NOTHING
        case tuple():
            return ", ".join(map(param, value))
        case float():
            return number(value)
        case _:
            return choice(value)


def choice(value: Scalar) -> str:
    """Return one of a list of values, to its last digit, as JSON has it; a text without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def field(value: JsonValue) -> str:
    """Return what stands in a field of a spec; a dash where nothing does."""
    return param(value) if value is None or isinstance(value, int | float | str) else json.dumps(value)


def purpose(value: Purpose) -> str:
    """Return what a study is for."""
    return _PURPOSES.get(value, str(value))


def lasted(trial: Trial, now: datetime) -> float | None:
    """Return how many seconds a trial took, or has taken so far; None: it has not begun."""
    if trial.started_at is None:
        return None
    return ((trial.completed_at or now) - trial.started_at).total_seconds()


def _scaled(value: float, units: Sequence[tuple[str, float]]) -> str:
    """Return a value in the largest unit that it has one of. Each comes with how many of it are the next."""
    place = 0
    while value >= units[place][1]:
        value /= units[place][1]
        place += 1
    value = max(0.0, value)
    return f"{round(value, 0 if value >= _PLAIN else 1):g} {units[place][0]}"


FILTERS: Mapping[str, Callable[..., object]] = {
    "number": number,
    "moment": moment,
    "duration": duration,
    "age": age,
    "size": size,
    "param": param,
    "field": field,
    "purpose": purpose,
    "lasted": lasted,
    "command": command_for,
    "meaning": meaning,
}
