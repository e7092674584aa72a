"""What the pages show to be typed: every fenced block of every page, none left out."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]

_NOT_RUN = re.compile("not run by the tests: (.+)")
_FILE = re.compile(r"[\w./-]+\.[a-z]+")


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Args:
        page: The page, from the top of the repository.
        line: Where its text begins, from 1.
        language: The first word of the fence.
        title: What stands above it on the site.
    """

    page: str
    line: int
    language: str
    title: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def not_run(self) -> str | None:
        """Why it is shown only; None: it is run."""
        reason = _NOT_RUN.fullmatch(self.title or "")
        return reason[1] if reason else None

    @property
    def file(self) -> str | None:
        """The name of the file that it is, if it is one."""
        return self.title if _FILE.fullmatch(self.title or "") else None


def pages() -> list[str]:
    """Return the pages that have blocks."""
    names = ["README.md", "CONTRIBUTING.md", *(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))]
    return sorted(name for name in names if blocks(name))


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in their order."""
    return [_block(page, token) for token in _tokens(page) if token.type == "fence"]


def indented(page: str) -> Iterator[Block]:
    """Yield the blocks that are only indented: they are for pictures."""
    for token in _tokens(page):
        if token.type == "code_block":
            yield Block(page, _line(token), "", None, token.content)


def inline(page: str) -> Iterator[str]:
    """Yield the code that stands within sentences and tables."""
    yield from re.findall(r"(?<!`)`([^`\n]+)`(?!`)", (ROOT / page).read_text())


def _block(page: str, token: Token) -> Block:
    language, _, rest = token.info.partition(" ")
    title = re.fullmatch(r'title="(.+)"', rest.strip())
    assert title or not rest, f"{page}:{_line(token)}: a fence has a language and a title, not {token.info}"
    return Block(page, _line(token) + 1, language, title[1] if title else None, token.content)


def _tokens(page: str) -> list[Token]:
    return MarkdownIt().parse((ROOT / page).read_text())


def _line(token: Token) -> int:
    assert token.map
    return token.map[0] + 1
