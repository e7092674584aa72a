"""The documentation as a site, as `make docs` builds it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
FETCHES = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}
FOREIGN = re.compile(r"(?:[a-z]+:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built where nothing may be left out and no link may lead to nothing."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return folder


class Reader(HTMLParser):
    """Notes what a page fetches, and the text of its paragraphs."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.paragraphs: list[str] = []
        self._in_paragraph = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [value for name, value in attrs if name == FETCHES.get(tag) and value]
        if tag == "p":
            self.paragraphs.append("")
            self._in_paragraph = True

    def handle_endtag(self, tag: str) -> None:
        self._in_paragraph = self._in_paragraph and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._in_paragraph:
            self.paragraphs[-1] += data


def read(site: Path) -> Iterator[tuple[str, Reader]]:
    for path in site.rglob("*.html"):
        reader = Reader()
        reader.feed(path.read_text())
        yield str(path.relative_to(site)), reader


def test_every_page_is_built(site: Path) -> None:
    built = {path for path, _ in read(site)}

    wanted = {page.relative_to(ROOT / "docs").with_suffix("") for page in PAGES}
    assert {"index.html" if str(page) == "index" else f"{page}/index.html" for page in wanted} <= built


def test_the_pages_fetch_nothing_from_another_host(site: Path) -> None:
    fetched = [(page, address) for page, reader in read(site) for address in reader.fetched]
    styles = [
        (path.name, address)
        for path in site.rglob("*.css")
        for address in re.findall(r"url\([\"']?([^)\"']*)", path.read_text())
    ]

    assert len(fetched) > len(PAGES)
    # The canonical address of a page would be one; it has none, since nobody knows where the site will lie.
    assert [found for found in (*fetched, *styles) if FOREIGN.match(found[1])] == []


def test_tables_and_lists_are_read_as_such(site: Path) -> None:
    paragraphs = [(page, text) for page, reader in read(site) for text in reader.paragraphs]

    assert len(paragraphs) > len(PAGES)
    assert [(page, text) for page, text in paragraphs if re.search(r"^(\||[-*] |\d\. )", text, re.MULTILINE)] == []
