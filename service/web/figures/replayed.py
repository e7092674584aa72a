"""What each pruner would have saved of a study, and whether it would have lost the best trial."""

from collections.abc import Sequence

import plotly.graph_objects as go

from service.web import words
from service.web.figures import looks
from service.web.figures.drawn import Drawn
from trimtab.replay import PrunerReplay, Replay

_ROW = 40
_OWN = " (its own)"


def draw(replay: Replay) -> Drawn:
    """Draw how a study would have gone with each pruner."""
    if not replay.epochs:
        return Drawn("Needs trials that reported while they were trained: there is nothing to play again.")
    height = 90 + _ROW * len(replay.pruners)
    return Drawn(
        caption=f"Of the {replay.epochs:,} epochs of {replay.trials:,} trials, what each pruner would have saved. A"
        f" hatched bar would have stopped the best trial{_best(replay)}.",
        figure=looks.finished(_figure(replay), height=height),
        columns=("Pruner", "Trials stopped", "Epochs saved", "Device time saved", "Best trial left", replay.metric),
        rows=[_row(replay, each) for each in replay.pruners],
        height=height,
    )


def _best(replay: Replay) -> str:
    return "" if replay.best_trial is None else f", number {replay.best_trial}"


def _figure(replay: Replay) -> go.Figure:
    kept = [each for each in replay.pruners if not each.loses_best]
    lost = [each for each in replay.pruners if each.loses_best]
    figure = go.Figure([_bars(replay, kept, looks.GOOD, ""), _bars(replay, lost, looks.BAD, "/")])
    names = [_name(each) for each in replay.pruners]
    figure.update_layout(
        barmode="overlay",
        showlegend=False,
        # Room for what is written at the end of a bar.
        xaxis={"title": "Epochs saved in %", "range": [0, 125], "tickvals": [0, 25, 50, 75, 100]},
        yaxis={"autorange": "reversed", "categoryorder": "array", "categoryarray": names},
    )
    return figure


def _bars(replay: Replay, pruners: Sequence[PrunerReplay], colour: str, pattern: str) -> go.Bar:
    return go.Bar(
        x=[100 * each.epochs_saved / replay.epochs for each in pruners],
        y=[_name(each) for each in pruners],
        text=[_said(each) for each in pruners],
        textposition="outside",
        orientation="h",
        cliponaxis=False,
        marker={"color": colour, "pattern": {"shape": pattern}},
        hovertemplate="%{y}: %{x:.0f} % saved, %{text}<extra></extra>",
    )


def _said(replayed: PrunerReplay) -> str:
    lost = ", the best lost" if replayed.loses_best else ""
    return f"{len(replayed.stopped):,} stopped{lost}"


def _name(replayed: PrunerReplay) -> str:
    return replayed.pruner.name + (_OWN if replayed.is_own else "")


def _row(replay: Replay, each: PrunerReplay) -> tuple[str, ...]:
    saved = f"{each.epochs_saved:,} ({100 * each.epochs_saved / replay.epochs:.0f} %)"
    best = words.NOTHING if each.best_trial is None else str(each.best_trial)
    lost = " (the best is lost)" if each.loses_best else ""
    stopped, seconds = f"{len(each.stopped):,}", f"{words.number(each.seconds_saved)} s"
    return _name(each), stopped, saved, seconds, best + lost, words.number(each.best_value)
