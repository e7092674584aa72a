"""Pictures in SVG: square panels in rows, each with a title above it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

SIDE = 200
"""Pixels of a panel, each way."""
COLUMNS = 4
GAP, TITLE = 16, 22
"""Pixels between panels, and for the title above each."""


@dataclass(frozen=True)
class Panel:
    """What is drawn in one square.

    Args:
        title: Above it; it has to fit into SIDE pixels of font size 11.
        shapes: Elements, in pixels from the upper left.
    """

    title: str
    shapes: Iterable[str]


def picture(panels: Sequence[Panel], *, shared: Iterable[str]) -> Iterator[str]:
    """Give the lines of an SVG.

    Args:
        panels: Row by row.
        shared: Elements that panels use by their id.
    """
    rows = -(-len(panels) // COLUMNS)
    width, height = COLUMNS * (SIDE + GAP) + GAP, rows * (SIDE + TITLE + GAP) + GAP
    view = f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {view}>'
    yield f'<rect width="{width}" height="{height}" fill="#fff"/><defs>'
    yield from shared
    yield "</defs>"
    for place, panel in enumerate(panels):
        x, y = GAP + place % COLUMNS * (SIDE + GAP), place // COLUMNS * (SIDE + TITLE + GAP) + TITLE
        yield f'<g transform="translate({x} {y})"><text x="0" y="-6">{panel.title}</text>'
        yield from panel.shapes
        yield "</g>"
    yield "</svg>"
