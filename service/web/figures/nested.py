"""The rounds of a search from coarse to fine: for each parameter its ranges below each other, the first at the top.

learning_rate    ==============================
0.0001 to 1            ==============
                           ==========>             a bound that the best value sat on
                              ===========
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from service.sampling.scales import Interval, interval
from service.web import words
from service.web.figures import looks
from service.web.figures.drawn import Drawn
from service.web.figures.labels import distinct, label, listed
from trimtab.protocol import Alarm, Round
from trimtab.space import Categorical, Float, Int, Parameter

MOST_PARAMETERS = 40
_ROW = 44
"""Height of one parameter, in pixels: at least."""

_BAR = 9
"""Of one of its ranges, likewise, unless there are very many."""

_HIGHEST_ROW = 180

_FILLED = 0.8
"""Share of a row that ranges take: the rest tells it from the next row."""

_LOW = "low"


@dataclass(frozen=True)
class _Box:
    """The range of a parameter in a round, in shares of all that was ever searched."""

    parameter: str
    low: float
    high: float
    text: str


def draw(rounds: Sequence[Round]) -> Drawn:
    """Draw the rounds that have begun."""
    if not rounds:
        return Drawn("No round has begun: rounds are of the sampler coarse_to_fine, from its first trial on.")
    names = [name for name in rounds[0].space if not isinstance(rounds[0].space[name], Categorical)]
    height = 110 + min(max(_ROW, _BAR * len(rounds)), _HIGHEST_ROW) * len(names[:MOST_PARAMETERS])
    return Drawn(
        caption=f"The ranges of {len(rounds)} rounds, of each parameter the first at the top, the last at the bottom. A"
        " triangle marks a bound that the best value sat on: the next range reaches beyond it, where it can. Below each"
        " name is all that was ever searched, which is from 0 to 100 % on the scale of the parameter.",
        figure=looks.finished(_figure(rounds, names[:MOST_PARAMETERS]), height=height) if names else None,
        columns=("Round", "First trial", "Parameter", "Range", "Alarm"),
        rows=list(_rows(rounds)),
        height=height,
    )


def _figure(rounds: Sequence[Round], names: Sequence[str]) -> go.Figure:
    boxes = [[_box(each, name, _whole(rounds, name)) for name in names] for each in rounds]
    figure = go.Figure([_bars(of_round, index, len(rounds)) for index, of_round in enumerate(boxes)])
    figure.add_trace(_alarms(rounds, boxes, names))
    figure.update_layout(
        barmode="overlay",
        legend={"orientation": "h", "yanchor": "bottom", "y": 1, "x": 0},
        xaxis={"title": "Range in %", "range": [-4, 104]},
        yaxis={
            "range": [len(names) - 0.5, -0.5],
            "tickvals": list(range(len(names))),
            "ticktext": [
                f"{label}<br>{_searched(rounds, name)}" for name, label in zip(names, distinct(names), strict=True)
            ],
            "showgrid": False,
            "zeroline": False,
        },
    )
    return figure


def _bars(boxes: Sequence[_Box], index: int, count: int) -> go.Bar:
    return go.Bar(
        base=[box.low for box in boxes],
        x=[box.high - box.low for box in boxes],
        y=[_lane(row, index, count) for row in range(len(boxes))],
        width=0.8 * _FILLED / count,
        orientation="h",
        marker={"color": looks.colours([1 - index / max(1, count - 1)])[0]},
        text=[f"{label(box.parameter)}, round {index}: {box.text}" for box in boxes],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
        name=f"round {index}",
        showlegend=index in {0, count - 1},
    )


def _lane(row: int, index: int, count: int) -> float:
    """Return how far down the range of a round is drawn, in rows."""
    return row + _FILLED * ((index + 0.5) / count - 0.5)


def _alarms(rounds: Sequence[Round], boxes: Sequence[Sequence[_Box]], names: Sequence[str]) -> go.Scatter:
    # What is noticed when a round is settled is of the round before.
    found = [
        (index, names.index(alarm.parameter), alarm)
        for index, after in enumerate(rounds[1:])
        for alarm in after.alarms
        if alarm.parameter in names
    ]
    return go.Scatter(
        x=[_side(boxes[index][row], alarm) for index, row, alarm in found],
        y=[_lane(row, index, len(rounds)) for index, row, _ in found],
        mode="markers",
        marker={
            "symbol": ["triangle-left" if alarm.side == _LOW else "triangle-right" for *_, alarm in found],
            "size": 12,
            "color": looks.BAD,
        },
        text=[
            f"{label(alarm.parameter)} {words.number(alarm.value)} sat on the {alarm.side} bound" for *_, alarm in found
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=False,
    )


def _side(box: _Box, alarm: Alarm) -> float:
    return box.low if alarm.side == _LOW else box.high


def _searched(rounds: Sequence[Round], name: str) -> str:
    """Return all that was ever searched of a parameter, from its least value to its greatest."""
    ranges = [number for each in rounds if (number := _number(each.space.root.get(name)))]
    return f"{min(each.low for each in ranges):g} to {max(each.high for each in ranges):g}"


def _whole(rounds: Sequence[Round], name: str) -> Interval:
    ranges = [interval(number) for each in rounds if (number := _number(each.space.root.get(name)))]
    return Interval(min(each.low for each in ranges), max(each.high for each in ranges))


def _box(each: Round, name: str, whole: Interval) -> _Box:
    parameter = _number(each.space.root.get(name))
    if parameter is None or not whole.width:
        return _Box(name, 0.0, 100.0, "one value")
    of_round = interval(parameter)
    low, high = (100 * (end - whole.low) / whole.width for end in (of_round.low, of_round.high))
    return _Box(name, low, high, _range(parameter))


def _number(parameter: Parameter | None) -> Float | Int | None:
    return parameter if isinstance(parameter, Float | Int) else None


def _rows(rounds: Sequence[Round]) -> Iterator[tuple[str, str, str, str, str]]:
    for place, each in enumerate(rounds):
        alarms = {alarm.parameter: alarm for alarm in (rounds[place + 1].alarms if place + 1 < len(rounds) else ())}
        for name in each.space:
            alarm = alarms.get(name)
            said = f"best value {words.number(alarm.value)} on the {alarm.side} bound" if alarm else ""
            yield str(each.round), str(each.first_number), name, _range(each.space[name]), said


def _range(parameter: Parameter) -> str:
    if isinstance(parameter, Categorical):
        return listed(map(words.choice, parameter.choices))
    return f"{parameter.low:g} to {parameter.high:g}"
