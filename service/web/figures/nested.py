"""The rounds of a search from coarse to fine: each range as a box within the one before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import plotly.graph_objects as go

from service.sampling.scales import Interval, interval
from service.web import words
from service.web.figures import looks
from service.web.figures.drawn import Drawn
from service.web.figures.labels import label, listed
from trimtab.protocol import Round
from trimtab.space import Categorical, Float, Int, Parameter

MOST_PARAMETERS = 40
_ROW = 44
"""Height of one parameter, in pixels."""

_WIDEST = 0.8
"""Of a box, as a share of its row; each round's is narrower than the one before."""

_LOW, _HIGH = "low", "high"


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
    height = 90 + _ROW * len(names[:MOST_PARAMETERS])
    return Drawn(
        caption=f"The ranges of {len(rounds)} rounds: the narrower and warmer a box, the later the round. A triangle"
        " marks a bound that the best value sat on. All that was ever searched is from 0 to 100 %, on the scale of"
        " the parameter.",
        figure=looks.finished(_figure(rounds, names[:MOST_PARAMETERS]), height=height) if names else None,
        columns=("Round", "First trial", "Parameter", "Range", "Alarm"),
        rows=list(_rows(rounds)),
        height=height,
    )


def _figure(rounds: Sequence[Round], names: Sequence[str]) -> go.Figure:
    wholes = {name: _whole(rounds, name) for name in names}
    figure = go.Figure()
    for index, each in enumerate(rounds):
        boxes = [_box(each, name, wholes[name]) for name in names]
        figure.add_trace(_boxes(boxes, index, len(rounds)))
    figure.add_trace(_alarms(rounds, wholes))
    figure.update_layout(
        barmode="overlay",
        showlegend=False,
        xaxis={"title": "Of all that was searched, in %", "range": [-4, 104]},
        yaxis={"autorange": "reversed"},
    )
    return figure


def _boxes(boxes: Sequence[_Box], index: int, count: int) -> go.Bar:
    colour = looks.colours([1 - index / max(1, count - 1)])[0]
    return go.Bar(
        base=[box.low for box in boxes],
        x=[box.high - box.low for box in boxes],
        y=[label(box.parameter) for box in boxes],
        width=_WIDEST * (1 - index / (count + 1)),
        orientation="h",
        marker={"color": colour, "opacity": 0.55, "line": {"color": colour, "width": 2}},
        text=[f"round {index}: {box.text}" for box in boxes],
        textposition="none",
        hovertemplate="%{y}, %{text}<extra></extra>",
    )


def _alarms(rounds: Sequence[Round], wholes: dict[str, Interval]) -> go.Scatter:
    # What is noticed when a round is settled is of the round before.
    found = [
        (_box(before, alarm.parameter, wholes[alarm.parameter]), alarm)
        for before, after in pairwise(rounds)
        for alarm in after.alarms
        if alarm.parameter in wholes
    ]
    return go.Scatter(
        x=[box.low if alarm.side == _LOW else box.high for box, alarm in found],
        y=[label(box.parameter) for box, _ in found],
        mode="markers",
        marker={
            "symbol": ["triangle-left" if alarm.side == _LOW else "triangle-right" for _, alarm in found],
            "size": 12,
            "color": looks.BAD,
        },
        text=[f"{box.parameter} {words.number(alarm.value)} sat on the {alarm.side} bound" for box, alarm in found],
        hovertemplate="%{text}<extra></extra>",
    )


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
        return listed(map(str, parameter.choices))
    return f"{parameter.low:g} to {parameter.high:g}"
