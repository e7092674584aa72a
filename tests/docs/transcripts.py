"""Transcripts: commands after `$`, below each what it says.

What is the same each time is compared: words, lines, signs. What is not is masked on both sides: every number is one
like any other, and so is every worker's name; bars and curves are drawn anew, columns are as wide as what stands in
them, and a line of `...` stands for any lines.
"""

import re
from collections.abc import Iterator, Sequence

_WORKER = re.compile(r"\S+-\d{3,}\b")
_NUMBER = re.compile(r"(?<![A-Za-z])[-+]?\d[\d.,:]*(?:e[-+]?\d+)?")
_DRAWN = re.compile(r"[▁-▟━╸╺─-╿]+")  # blocks and lines, of which bars and curves are made
_ANY = "..."


def exchanges(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command, with what is shown below it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    assert not parts[0].strip(), f"a transcript begins with a command, not with {parts[0]}"
    for part in parts[1:]:
        typed, _, shown = part.partition("\n")
        yield typed, shown


def agree(shown: str, said: str) -> bool:
    """Return whether what a page shows is what was said, but for what differs each time."""
    return _agree(_masked(shown), _masked(said))


def _masked(text: str) -> list[str]:
    lines = (" ".join(_NUMBER.sub("#", _WORKER.sub("#", _DRAWN.sub("", line))).split()) for line in text.splitlines())
    return [line for line in lines if line]


def _agree(shown: Sequence[str], said: Sequence[str]) -> bool:
    if _ANY not in shown:
        return shown == said
    gap = shown.index(_ANY)
    before, after = shown[:gap], shown[gap + 1 :]
    if said[:gap] != before:
        return False
    return any(_agree(after, said[start:]) for start in range(gap, len(said) + 1))
