"""The value of each trial over each parameter: Optuna's slices."""

import plotly.graph_objects as go
from optuna.visualization import plot_slice

from service.web.figures import looks, spread
from service.web.figures.axes import Axis, scale
from service.web.figures.drawn import Drawn
from service.web.figures.labels import shortened
from service.web.figures.optuna_study import shown
from service.web.figures.picked import Picked
from service.web.figures.subject import thinned

MOST_TRIALS = 1000
MOST_PARAMETERS = 8
_LONGEST_NAME = 20
"""In letters: there is the next one beside it, and choices below a picture leave it low."""

_HEIGHT = 340


def draw(picked: Picked) -> Drawn:
    """Draw the parameters that matter most."""
    matter_most = picked.axes[:MOST_PARAMETERS]
    # Optuna draws them in the order of the alphabet.
    axes = sorted(matter_most, key=lambda axis: axis.name)
    kept = thinned(picked.best_first, MOST_TRIALS)
    study = shown(picked.subject, kept, axes, [picked.objective])
    figure = plot_slice(study, [axis.name for axis in axes], target_name=picked.metric)
    ends = {axis.name: str(place) if place > 1 else "" for place, axis in enumerate(axes, start=1)}
    for axis in axes:
        _relabel(figure, axis, ends[axis.name], picked.metric)
    for title in (layout.title for layout in (figure.layout.yaxis, *figure.select_xaxes())):
        title.text = shortened(title.text, _LONGEST_NAME)
    figure.update_xaxes(tickfont={"size": 10}, title_standoff=4)
    # No scale beside it: on a phone the panels need the room, and each point says its number.
    colours = {"colorscale": looks.best_to_worst(is_reversed=True), "showscale": False, "opacity": 0.75}
    figure.update_traces(marker=colours)
    looks.open_infeasible(figure)
    figure.update_yaxes(scale([value for trace in figure.data for value in trace.y or ()]))
    return Drawn(
        caption=f"{spread.shown_of(len(kept), len(picked.best_first))} {_which(picked)}The later a trial, the warmer"
        " its colour." + picked.violating("Open"),
        figure=looks.finished(figure, height=_HEIGHT),
        columns=spread.COLUMNS,
        rows=spread.rows(picked.subject, matter_most, picked.best_first),
        choices=picked.choices,
        height=_HEIGHT,
        panels=[ends[axis.name] for axis in matter_most],
    )


def _which(picked: Picked) -> str:
    count = len(picked.axes)
    if not picked.is_ranked:
        some = f"The first {MOST_PARAMETERS} of {count} parameters, in" if count > MOST_PARAMETERS else "In"
        return f"{some} the order of the space: what matters most is not known. "
    some = f"The {MOST_PARAMETERS} parameters that matter most of {count}. " if count > MOST_PARAMETERS else ""
    return f"{some}What matters most comes first. "


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
