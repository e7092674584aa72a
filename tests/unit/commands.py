"""Runs `trimtab` in this process."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    code: int
    output: str
    errors: str


Run = Callable[..., Ran]
"""With arguments, and with `given` on its standard input."""
