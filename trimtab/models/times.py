"""Points and lengths of time, as people have them, in the seconds that data sets keep."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

import numpy as np

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TIMES = (date, time, timedelta, np.datetime64, np.timedelta64)

_SECONDS = {
    "W": Fraction(604_800),
    "D": Fraction(86_400),
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
    "ps": Fraction(1, 10**12),
    "fs": Fraction(1, 10**15),
    "as": Fraction(1, 10**18),
}
"""Of NumPy's units, but of years and months, which have no one length."""


def seconds(value: Any) -> float | None:
    """Return a point in time in seconds since 1970, UTC, or a length of time in seconds; None: it is neither.

    A point that says no zone is one of UTC; a time of day is the length since midnight. NaN: it is missing.

    Raises:
        ValueError: It is a length in years, in months or in no unit.
    """
    if not isinstance(value, _TIMES):
        return None
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()  # Those of pandas, which count nanoseconds.
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _of_numpy(value)
    return _length(value).total_seconds()


def is_text_of_time(value: Any) -> bool:
    """Return whether it is text that says a date, a time of day or a point in time, as ISO 8601 writes them."""
    return isinstance(value, str) and any(_is_read(value.strip(), by) for by in (datetime, time))


def _is_read(text: str, by: type[datetime | time]) -> bool:
    try:
        by.fromisoformat(text)
    except ValueError:
        return False
    return True


def _length(value: date | time | timedelta) -> timedelta:
    """Return how long a point in time is after 1970 began, a time of day after midnight."""
    match value:
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)) - _EPOCH
        case date():
            return value - _EPOCH.date()
        case time():
            return datetime.combine(_EPOCH, value, UTC) - _EPOCH
        case timedelta():
            return value


def _of_numpy(value: np.datetime64 | np.timedelta64) -> float:
    if np.isnat(value):
        return float("nan")
    if isinstance(value, np.datetime64) and np.datetime_data(value.dtype)[0] in {"Y", "M"}:
        value = value.astype("datetime64[D]")
    unit, step = np.datetime_data(value.dtype)
    if unit not in _SECONDS:
        raise ValueError(f"{value!r} has no length in seconds")
    return float(int(value.astype(np.int64)) * step * _SECONDS[unit])
