"""The value of each trial over each parameter: Optuna's slices."""

import plotly.graph_objects as go
from optuna.visualization import plot_slice

from service.web.figures import looks, spread
from service.web.figures.axes import Axis
from service.web.figures.drawn import Drawn
from service.web.figures.optuna_study import shown
from service.web.figures.picked import Picked
from service.web.figures.subject import thinned

MOST_TRIALS = 1000
MOST_PARAMETERS = 8
_WIDTH = 230
"""Of one parameter, in pixels."""

_HEIGHT = 340


def draw(picked: Picked) -> Drawn:
    """Draw the parameters that matter most."""
    axes = sorted(picked.axes[:MOST_PARAMETERS], key=lambda axis: axis.name)
    kept = thinned(picked.best_first, MOST_TRIALS)
    study = shown(picked.subject, kept, axes, [picked.objective])
    figure = plot_slice(study, [axis.name for axis in axes], target_name=picked.metric)
    for place, axis in enumerate(axes, start=1):
        _relabel(figure, axis, str(place) if place > 1 else "", picked.metric)
    figure.update_xaxes(tickfont={"size": 10})
    figure.update_traces(marker={"colorscale": looks.best_to_worst(is_reversed=True), "opacity": 0.75})
    looks.open_infeasible(figure)
    return Drawn(
        caption=f"{spread.shown_of(len(kept), len(picked.best_first))} {_which(picked)}The later a trial, the warmer"
        " its colour." + picked.violating("Open"),
        figure=looks.finished(figure, height=_HEIGHT),
        columns=spread.COLUMNS,
        rows=spread.rows(picked.subject, axes, picked.best_first),
        choices=picked.choices,
        width=_WIDTH * len(axes),
        height=_HEIGHT,
    )


def _which(picked: Picked) -> str:
    left = len(picked.axes) - MOST_PARAMETERS
    return f"The {MOST_PARAMETERS} parameters that matter most of {len(picked.axes)}. " if left > 0 else ""


def _relabel(figure: go.Figure, axis: Axis, place: str, metric: str) -> None:
    of_axis = [trace for trace in figure.data if (trace.xaxis or "x") == f"x{place}" and trace.x]
    for trace in of_axis:
        has_number = trace.marker.color is not None and not isinstance(trace.marker.color, str)
        of_trial = "trial %{marker.color}: " if has_number else ""
        value = "%{x}" if axis.is_choice else "%{x:.4g}"
        if axis.is_reversed:
            value, trace.customdata = "%{customdata}", [axis.text(x) for x in trace.x]
        trace.hovertemplate = f"{of_trial}{axis.name} {value}, {metric} %{{y:.4g}}<extra></extra>"
    if of_axis and not axis.is_choice and (marks := axis.marks([x for trace in of_axis for x in trace.x])):
        figure.update_layout({f"xaxis{place}": {"tickmode": "array", "tickvals": marks[0], "ticktext": marks[1]}})
