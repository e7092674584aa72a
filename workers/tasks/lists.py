"""Hyperparameters that are one value for all layers, or a list."""

from typing import Any

from trimtab.message import Params


def for_each(params: Params, name: str, *, per: str) -> tuple[Any, ...]:
    """Return a value for each of as many as `per` says, of one that all share or of a list."""
    value, count = params[name], params[per]
    assert isinstance(count, int), "the task allows no other"
    return value if isinstance(value, tuple) else (value,) * count
