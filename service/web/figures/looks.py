"""How all figures look: no ground of their own, colours that are seen on light and on dark, no title within.

What is written takes the page's colours in the browser.
"""

import json
from typing import Any

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from service.web.figures.labels import shortened

# Best, middling, worst. Each is three times as bright as a dark ground, and as dark as a light one.
_SCALE = ((0.0, "rgb(217,72,15)"), (0.5, "rgb(132,94,194)"), (1.0, "rgb(110,135,155)"))

GOOD = "rgb(47,129,196)"
BAD = "rgb(217,72,15)"
QUIET = "rgb(128,140,150)"

_LONGEST_NAME = 32
"""Of an axis, in letters: as high as most figures are."""


def best_to_worst(*, is_reversed: bool = False) -> list[list[object]]:
    """Return the scale of colours from small values to large ones: small is best, unless it is reversed."""
    places = [(1 - place, colour) for place, colour in reversed(_SCALE)] if is_reversed else _SCALE
    return [[place, colour] for place, colour in places]


def colours(places: list[float]) -> list[str]:
    """Return the colour of each place between 0, the best, and 1, the worst."""
    found: list[str] = sample_colorscale(best_to_worst(), places)
    return found


def open_infeasible(figure: go.Figure) -> None:
    """Show the trials that violate constraints as open circles: Optuna's are told by their colour alone."""
    figure.update_traces(marker={"symbol": "circle-open", "color": QUIET}, selector={"name": "Infeasible Trial"})


def finished(figure: go.Figure, *, height: int) -> dict[str, Any]:
    """Return a figure as JSON of plain numbers, as all of them look."""
    figure.update_layout(
        template=None,
        title=None,
        width=None,
        height=height,
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 8, "r": 8, "t": 16, "b": 8},
        hovermode="closest",
        dragmode=False,
    )
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        axis.automargin = True
        if axis.title.text:
            axis.title.text = shortened(axis.title.text, _LONGEST_NAME)
    found: dict[str, Any] = json.loads(figure.to_json())
    return found
