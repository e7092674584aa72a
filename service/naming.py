"""What a study is called that is made after another one."""

from collections.abc import Iterator
from itertools import count

_LONGEST = 128


def ending_in(end: str, name: str) -> str:
    """Return a name with an end, cut before it where both would be too long."""
    return name[: _LONGEST - len(end)] + end


def numbered(name: str) -> Iterator[str]:
    """Yield names after another one, without end: digits-2 after digits, then digits-3."""
    for number in count(2):
        yield ending_in(f"-{number}", name)
