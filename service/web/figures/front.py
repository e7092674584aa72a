"""Which trials no other one beats, two objectives at a time: the trials that the API answers as the best."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from service import pareto
from service.history import Ints
from service.web import words
from service.web.figures import looks
from service.web.figures.axes import looked_at, scale
from service.web.figures.drawn import Choice, Drawn
from service.web.figures.labels import label
from service.web.figures.subject import Subject, thinned

MOST_TRIALS = 1000
_MOST_ROWS = 100
_HEIGHT = 400
_TWO = 2


def draw(subject: Subject, x: str | None, y: str | None) -> Drawn:
    """Draw two objectives: the first two, if it is not said which."""
    metrics = [objective.metric for objective in subject.objectives]
    if len(metrics) < _TWO:
        return Drawn("Needs two objectives, and the study has one.")
    across = subject.objective(x)
    up = subject.objective(y) if y else next(place for place in range(len(metrics)) if place != across)
    choices = [Choice("x", "Objective", metrics, metrics[across]), Choice("y", "and", metrics, metrics[up])]
    if across == up:
        return Drawn("Needs two different objectives.", choices=choices)
    best_first = subject.best_first(across)
    front_F = _front(subject, best_first)
    others_N = best_first[~np.isin(best_first, front_F)]
    kept_N = thinned(others_N, MOST_TRIALS)
    return Drawn(
        caption=f"As diamonds the trials that no other one beats in every objective ({len(front_F):,}), as circles"
        f" {_others(len(kept_N), len(others_N))}, open ones where they violate a constraint.",
        figure=looks.finished(_figure(subject, (across, up), front_F, kept_N), height=_HEIGHT),
        columns=("Trial", *metrics),
        rows=_rows(subject, front_F[:_MOST_ROWS]),
        choices=choices,
        height=_HEIGHT,
    )


def _others(shown: int, others: int) -> str:
    return f"the {others:,} others" if shown == others else f"{shown:,} of the {others:,} others"


def _front(subject: Subject, best_first: Ints) -> Ints:
    feasible = best_first[subject.view.violations_N[best_first] == 0]
    values_NM = subject.view.observations.values_NM[feasible]
    ranked = list(zip(feasible.tolist(), values_NM.tolist(), strict=True))
    return np.array(pareto.front(ranked, subject.objectives), np.int64)


def _figure(subject: Subject, shown: tuple[int, int], front_F: Ints, others_N: Ints) -> go.Figure:
    across, up = (subject.objectives[place].metric for place in shown)
    is_violating = subject.view.violations_N > 0
    symbols = ["circle-open" if is_violating[row] else "circle" for row in others_N.tolist()]
    figure = go.Figure()
    figure.add_trace(_points(subject, shown, others_N, {"color": looks.QUIET, "symbol": symbols, "size": 6}))
    front_F = front_F[np.argsort(subject.view.observations.values_NM[front_F, shown[0]])]
    figure.add_trace(_points(subject, shown, front_F, {"color": looks.BAD, "symbol": "diamond", "size": 9}))
    figure.update_layout(showlegend=False, xaxis_title=across, yaxis_title=up)
    for place, axis in zip(shown, (figure.layout.xaxis, figure.layout.yaxis), strict=True):
        axis.update(scale(subject.view.observations.values_NM[[*front_F, *others_N], place].tolist()))
    return figure


def _points(subject: Subject, shown: tuple[int, int], rows_N: Ints, marker: dict[str, object]) -> go.Scatter:
    xs, ys = ([*map(looked_at, subject.view.observations.values_NM[rows_N, place].tolist())] for place in shown)
    return go.Scatter(
        x=xs,
        y=ys,
        mode="markers",
        marker=marker,
        text=["<br>".join(each) for each in _said(subject, rows_N)],
        hovertemplate="%{text}<extra></extra>",
    )


def _said(subject: Subject, rows_N: Ints) -> list[list[str]]:
    metrics = [label(objective.metric) for objective in subject.objectives]
    return [
        [f"trial {number}", *(f"{metric} {value}" for metric, value in zip(metrics, values, strict=True))]
        for number, *values in _rows(subject, rows_N)
    ]


def _rows(subject: Subject, rows_N: Ints) -> Sequence[Sequence[str]]:
    seen = subject.view.observations
    return [[str(seen.numbers_N[row]), *map(words.number, seen.values_NM[row].tolist())] for row in rows_N.tolist()]
