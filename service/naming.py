"""What a study is called that is made after another one."""

from collections.abc import Iterator
from itertools import count

_LONGEST = 128


def numbered(name: str) -> Iterator[str]:
    """Yield names after another one, without end: digits-2 after digits, then digits-3."""
    for number in count(2):
        yield f"{name[: _LONGEST - len(str(number)) - 1]}-{number}"
