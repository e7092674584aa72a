"""What Optuna's tables can hold. Anything else is refused before it reaches the database."""

import math

from optuna.distributions import BaseDistribution, FloatDistribution

MAX_NAME = 512
"""Characters of a name in Optuna's tables."""

MAX_STEP = 2**31 - 1


def name(given: str, kind: str) -> str:
    """Return the name that is given to a `kind` of thing.

    Raises:
        ValueError: It is too long, or holds what PostgreSQL cannot store as text.
    """
    if len(given) > MAX_NAME:
        raise ValueError(f"{kind} has {len(given)} characters, more than {MAX_NAME}: {given[:40]!r}...")
    if "\0" in given:
        raise ValueError(f"{kind} holds a NUL character: {given!r}")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{kind} holds half of a surrogate pair: {given!r}") from error
    return given


def step(given: int) -> int:
    """Return the step.

    Raises:
        ValueError: It is negative, or does not fit 31 bits.
    """
    if not 0 <= given <= MAX_STEP:
        raise ValueError(f"step is not from 0 to {MAX_STEP}: {given}")
    return int(given)


def final_value(given: float) -> float:
    """Return the value of an objective, which may be infinite.

    Raises:
        ValueError: It is not a number.
    """
    if math.isnan(given):
        raise ValueError("the value of a trial is NaN")
    return float(given)


def param(given: float, distribution: BaseDistribution, name: str) -> float:
    """Return the stored number of a parameter, an index where it is categorical.

    Raises:
        ValueError: It or a bound of its distribution is not finite.
    """
    if not math.isfinite(given):
        raise ValueError(f"parameter {name!r} is not finite: {given}")
    if isinstance(distribution, FloatDistribution) and not math.isfinite(distribution.high - distribution.low):
        raise ValueError(f"bounds of parameter {name!r} are not finite: {distribution}")
    return float(given)


def encoded(value: float) -> tuple[float | None, str]:
    """Return `value` as Optuna stores it: a finite number, or none, and the kind of value."""
    if math.isnan(value):
        return None, "NAN"
    if math.isinf(value):
        return None, "INF_POS" if value > 0 else "INF_NEG"
    return float(value), "FINITE"


def decoded(column: str) -> str:
    """Return the SQL of the number that `encoded` stored in `column` and `column`_type."""
    return f"""CASE CAST({column}_type AS text)
      WHEN 'INF_POS' THEN 'Infinity' WHEN 'INF_NEG' THEN '-Infinity' WHEN 'NAN' THEN 'NaN' ELSE {column} END"""
