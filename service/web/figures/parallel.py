"""Each trial as a line through its parameters: Optuna's parallel coordinates."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go
from optuna.visualization import plot_parallel_coordinate

from service.web import words
from service.web.figures import looks, spread
from service.web.figures.axes import Axis
from service.web.figures.drawn import Drawn
from service.web.figures.labels import shortened
from service.web.figures.optuna_study import shown
from service.web.figures.picked import Picked
from service.web.figures.subject import thinned
from trimtab.states import Direction

MOST_TRIALS = 150
"""Each is a line of its own, which a browser draws in about a millisecond."""

MOST_PARAMETERS = 10
_WIDTH = 100
"""Of one parameter, in pixels."""

_LONGEST_NAME = 14
"""In letters: there is the next one beside it."""

_HEIGHT = 380
_MOST_NOTES = 8
_MISSING = "None"
"""What Optuna writes where a trial lacks a parameter. A choice of that name it marks, where another trial lacks one."""

_MARKED = "None (value)"


def draw(picked: Picked) -> Drawn:
    """Draw the parameters that matter most, and the objective before them."""
    axes = picked.axes[:MOST_PARAMETERS]
    kept = thinned(picked.best_first, MOST_TRIALS)
    study = shown(picked.subject, kept, axes, [picked.objective])
    figure = plot_parallel_coordinate(study, [axis.name for axis in axes], target_name=picked.metric)
    _reorder(figure, [axis.name for axis in axes])
    is_maximized = picked.subject.objectives[picked.objective].direction is Direction.MAXIMIZE
    _recolour(figure, is_maximized=is_maximized)
    _reword(figure, 0, lambda drawn: words.number(float(drawn)))
    lacking = [bool(np.isnan(picked.subject.column(axis.dimension)[kept]).any()) for axis in axes]
    for place, (axis, is_lacking) in enumerate(zip(axes, lacking, strict=True), start=1):
        _reword(figure, place, _writer(axis, is_lacking=is_lacking))
    # Room for what is written to the left of the first axis.
    figure.update_layout(showlegend=False, shapes=_lines(len(axes) + 1), xaxis_range=(-0.45, len(axes) + 0.2))
    names = [picked.metric, *(axis.name for axis in axes)]
    figure.layout.xaxis.ticktext = [shortened(name, _LONGEST_NAME) for name in names]
    figure.layout.annotations = [note for place in range(len(axes) + 1) for note in _few(figure, place)]
    return Drawn(
        caption=f"{spread.shown_of(len(kept), len(picked.best_first))} The warmer a line, the better the trial."
        + (f" {words.NOTHING}: the trial does not have the parameter." if any(lacking) else "")
        + picked.violating("Dotted"),
        figure=looks.finished(figure, height=_HEIGHT),
        columns=spread.COLUMNS,
        rows=spread.rows(picked.subject, axes, picked.best_first),
        choices=picked.choices,
        width=_WIDTH * (len(axes) + 1),
        height=_HEIGHT,
    )


def _reorder(figure: go.Figure, names: Sequence[str]) -> None:
    """Put what matters most beside the objective: Optuna draws parameters in the order of the alphabet."""
    order = [0, *(1 + place for place in sorted(range(len(names)), key=names.__getitem__))]
    drawn_at = [order.index(place) for place in range(len(order))]
    for line in (trace for trace in figure.data if len(trace.x) == len(order) and None not in trace.x):
        line.y = [line.y[place] for place in drawn_at]
        line.customdata = [line.customdata[place] for place in drawn_at]
    for note in figure.layout.annotations:
        note.x = order[int(note.x)]


def _recolour(figure: go.Figure, *, is_maximized: bool) -> None:
    """Colour each line by where it begins: at the objective. The best are drawn last, on top."""
    *lines, scale = [trace for trace in figure.data if trace.x != (None,)]
    losses = [1 - line.y[0] if is_maximized else line.y[0] for line in lines]
    for line, colour in zip(lines, looks.colours(losses), strict=True):
        line.line.color = colour
    scale.marker.update(
        colorscale=looks.best_to_worst(is_reversed=is_maximized), reversescale=False, colorbar_title_side="right"
    )
    order = sorted(range(len(lines)), key=losses.__getitem__, reverse=True)
    figure.data = [*(lines[place] for place in order), scale]


def _writer(axis: Axis, *, is_lacking: bool) -> Callable[[str], str]:
    """Return how what Optuna wrote at the axis of a parameter is written for people.

    Args:
        axis: Of the parameter.
        is_lacking: Some trial does not have it.
    """

    def write(drawn: str) -> str:
        if is_lacking and drawn == _MISSING:
            return words.NOTHING
        if axis.labels:
            return _MISSING if is_lacking and drawn == _MARKED else drawn
        return axis.text(float(drawn))

    return write


def _reword(figure: go.Figure, place: int, write: Callable[[str], str]) -> None:
    """Write what stands at an axis as people read it."""
    for note in figure.layout.annotations:
        if note.x == place:
            note.text = write(note.text)
    for line in figure.data[:-1]:
        name, drawn = line.customdata[place]
        line.customdata = [*line.customdata[:place], [name, write(drawn)], *line.customdata[place + 1 :]]


def _few(figure: go.Figure, place: int) -> Sequence[go.layout.Annotation]:
    """Return what is written at an axis, but not more than there is room for."""
    notes = sorted((note for note in figure.layout.annotations if note.x == place), key=lambda note: note.y)
    return notes[:: math.ceil(len(notes) / _MOST_NOTES)]


def _lines(count: int) -> Sequence[dict[str, object]]:
    line = {"width": 1, "color": looks.QUIET}
    return [{"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": line, "layer": "below"} for x in range(count)]
