"""Words in figures. Plotly reads tags and entities in what it writes: here they are nothing but text.

Source: plotly.js, src/lib/svg_text_utils.js.
"""

import html
from collections.abc import Iterable

_LONGEST = 18
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_ISOLATED, _ISOLATED_END = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


class Label(str):
    """A text that Optuna's figures show as it stands: they write choices as Python does, in quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def label(text: str) -> Label:
    """Return a text as Plotly shows it: letter by letter, and not too long for its place.

    What cannot be seen, such as a mark that turns the direction of what follows, is written as its number.
    """
    seen = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
    return Label(html.escape(shortened(seen), quote=False) or "''")


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return a text, or of a longer one the beginning and the end: what begins alike often differs there."""
    if len(text) <= longest:
        return text
    end = text[-(longest // 3) :]
    return f"{text[: longest - 1 - len(end)]}{_ELLIPSIS}{end}"


def listed(texts: Iterable[str]) -> str:
    """Return texts as a list in a sentence, each by itself: none turns the direction of those after it."""
    return ", ".join(f"{_ISOLATED}{text}{_ISOLATED_END}" for text in texts)


def distinct(texts: Iterable[str]) -> tuple[Label, ...]:
    """Return the label of each text; those that would read the same are numbered."""
    found: list[Label] = []
    for text in texts:
        first = candidate = label(text)
        count = 1
        while candidate in found:
            count += 1
            candidate = Label(f"{first} ({count})")
        found.append(candidate)
    return tuple(found)
