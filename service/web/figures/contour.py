"""The value over two parameters: Optuna's contours."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import plotly.graph_objects as go
from optuna.visualization import plot_contour

from service.history import Ints
from service.web import words
from service.web.figures import looks, spread
from service.web.figures.axes import Axis, is_log, log_marks
from service.web.figures.drawn import Choice, Drawn
from service.web.figures.optuna_study import shown
from service.web.figures.picked import Picked
from service.web.figures.subject import thinned
from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem
from trimtab.states import Direction

MOST_TRIALS = 120
"""The ground has a cell for each two of them."""

_FEWEST_VALUES = 2
_MOST_LIKELY = 10
_WIDTH, _HEIGHT = 440, 420


def draw(picked: Picked, x: str | None, y: str | None) -> Drawn:
    """Draw two parameters: the two that matter most, if it is not said which.

    Raises:
        Invalid: No complete trial has such a parameter.
    """
    first, second = _likely(picked)
    if x or y:
        first = _axis(picked, "x", x) if x else picked.axes[0]
        second = _axis(picked, "y", y) if y else picked.axes[-1]
    choices = [*picked.choices, *_choices(picked, first, second)]
    if reason := _reason(picked, first, second):
        return Drawn(reason, choices=choices)
    both = _with_both(picked, first, second)
    kept = thinned(both, MOST_TRIALS)
    return Drawn(
        caption=f"{spread.shown_of(len(kept), len(both))} {_lacking(len(picked.best_first) - len(both))}Between them"
        f" {picked.metric} is interpolated: the warmer, the better." + picked.violating("Open"),
        figure=looks.finished(_figure(picked, kept, (first, second)), height=_HEIGHT),
        columns=spread.COLUMNS,
        rows=spread.rows(picked.subject, [first, second], picked.best_first),
        choices=choices,
        width=_WIDTH,
        height=_HEIGHT,
    )


def _lacking(count: int) -> str:
    return f"{count:,} others lack one of the two parameters. " if count else ""


def _likely(picked: Picked) -> tuple[Axis, Axis]:
    """Return the two parameters that matter most, of those that can be drawn together; any, where none can."""
    pairs = combinations(picked.axes[:_MOST_LIKELY], 2)
    return next((pair for pair in pairs if not _reason(picked, *pair)), (picked.axes[0], picked.axes[-1]))


def _axis(picked: Picked, field: str, name: str) -> Axis:
    found = next((axis for axis in picked.axes if axis.name == name), None)
    if found is None:
        message = f"is no parameter of a complete trial; there are {', '.join(axis.name for axis in picked.axes)}"
        raise Invalid("there is no such parameter", errors=[FieldProblem(field=field, message=message)])
    return found


def _choices(picked: Picked, first: Axis, second: Axis) -> list[Choice]:
    names = [axis.name for axis in picked.axes]
    return [Choice("x", "Parameter", names, first.name), Choice("y", "and", names, second.name)]


def _reason(picked: Picked, first: Axis, second: Axis) -> str | None:
    """Return why there is nothing to draw; None: there is."""
    if first.name == second.name:
        return "Needs two different parameters."
    rows = _with_both(picked, first, second)
    for axis in (first, second):
        if len(np.unique(picked.subject.column(axis.dimension)[rows])) < _FEWEST_VALUES:
            return f"Needs two complete trials with both parameters, and with different values of {axis.name}."
    return None


def _with_both(picked: Picked, *axes: Axis) -> Ints:
    lacks = np.isnan([picked.subject.column(axis.dimension)[picked.best_first] for axis in axes]).any(axis=0)
    found: Ints = picked.best_first[~lacks]
    return found


def _figure(picked: Picked, kept: Ints, axes: Sequence[Axis]) -> go.Figure:
    study = shown(picked.subject, kept, axes, [picked.objective])
    figure = plot_contour(study, [axis.name for axis in axes], target_name=picked.metric)
    # Optuna draws the first of the alphabet from left to right.
    across, up = sorted(axes, key=lambda axis: axis.name)
    points = _points(picked, kept, across, up)
    is_maximized = picked.subject.objectives[picked.objective].direction is Direction.MAXIMIZE
    ground = {
        "colorscale": looks.best_to_worst(is_reversed=is_maximized),
        "reversescale": False,
        "ncontours": 12,
        "colorbar_title_side": "right",
    }
    figure.update_traces(ground, selector={"type": "contour"})
    _rescale(figure)
    figure.update_traces(marker={"size": 5, "line": {"width": 1, "color": "white"}}, selector={"type": "scatter"})
    looks.open_infeasible(figure)
    for trace in figure.select_traces({"type": "scatter"}):
        trace.text = [points[point] for point in zip(trace.x, trace.y, strict=True)]
        trace.hovertemplate = "%{text}<extra></extra>"
    for place, (axis, layout) in enumerate(((across, figure.layout.xaxis), (up, figure.layout.yaxis))):
        if not axis.labels and (marks := axis.marks([float(point[place]) for point in points])):
            layout.update(tickmode="array", tickvals=marks[0], ticktext=marks[1])
    return figure


def _rescale(figure: go.Figure) -> None:
    """Colour the ground by the logarithm of the values where they span very much; what is read are the values."""
    for ground in figure.select_traces({"type": "contour"}):
        values_YX = np.array(ground.z, float)
        values = values_YX[~np.isnan(values_YX)].tolist()
        if is_log(values):
            places, texts = log_marks(values)
            logarithms_YX = np.log10(values_YX)
            ground.z = np.where(np.isnan(logarithms_YX), None, logarithms_YX)
            ground.colorbar.update(tickmode="array", tickvals=np.log10(places).tolist(), ticktext=texts)


def _points(picked: Picked, kept: Ints, across: Axis, up: Axis) -> dict[tuple[str | float, str | float], str]:
    """Return what is said of the trial at each point."""
    seen = picked.subject.view.observations
    columns = [picked.subject.column(axis.dimension)[kept].tolist() for axis in (across, up)]
    points: dict[tuple[str | float, str | float], str] = {}
    numbers, values = seen.numbers_N[kept].tolist(), seen.values_NM[kept, picked.objective].tolist()
    for number, value, *stored in zip(numbers, values, *columns, strict=True):
        x, y = across.drawn(stored[0]), up.drawn(stored[1])
        said = f"trial {number}: {picked.metric} {words.number(value)}"
        points[x, y] = f"{said}<br>{across.name} {across.text(x)}<br>{up.name} {up.text(y)}"
    return points
