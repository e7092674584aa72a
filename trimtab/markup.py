"""HTML of plain texts: whatever they say, it is shown and does nothing."""

from collections.abc import Iterable, Sequence
from html import escape


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return texts as a table."""
    head = "".join(f"<th>{escape(text)}</th>" for text in header)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def paragraph(text: str, *, title: str = "") -> str:
    """Return a text as a paragraph, after its title where it has one."""
    return f"<p>{f'<b>{escape(title)}</b> ' if title else ''}{escape(text)}</p>"


def bar(done: int, total: int | None) -> str:
    """Return how much is done of a total that is known; else nothing."""
    return "" if total is None else f'<progress value="{done}" max="{total}"></progress>'
