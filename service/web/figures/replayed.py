"""What each pruner would have saved of a study, and whether it would have lost the best trial."""

from collections.abc import Sequence

import plotly.graph_objects as go

from service.web import words
from service.web.figures import looks
from service.web.figures.drawn import Drawn
from trimtab.pruners import NoPruner
from trimtab.replay import PrunerReplay, Replay

_ROW = 40
_OWN = " (its own)"


def draw(replay: Replay) -> Drawn:
    """Draw how a study would have gone with each pruner."""
    if not replay.epochs:
        return Drawn("Needs trials that reported while they were trained: there is nothing to play again.")
    height = 90 + _ROW * len(replay.pruners)
    return Drawn(
        caption=f"Of the {replay.epochs:,} epochs that {replay.trials:,} trials were trained for, those that each"
        f" pruner would have saved too.{_already(replay)} A hatched bar would have stopped the best"
        f" trial{_best(replay)}.",
        figure=looks.finished(_figure(replay), height=height),
        columns=("Pruner", "Trials stopped", "Epochs saved", "Device time saved", "Best trial left", replay.metric),
        rows=[_row(replay, each) for each in replay.pruners],
        height=height,
    )


def _already(replay: Replay) -> str:
    """Return why the study's own pruner hardly saves anything, where it has one."""
    if not any(each.is_own and not isinstance(each.pruner, NoPruner) for each in replay.pruners):
        return ""
    return " What the study's own one has saved is not among them: it was never trained."


def _best(replay: Replay) -> str:
    return "" if replay.best_trial is None else f", number {replay.best_trial}"


def _figure(replay: Replay) -> go.Figure:
    kept = [each for each in replay.pruners if not each.loses_best]
    lost = [each for each in replay.pruners if each.loses_best]
    figure = go.Figure([_bars(replay, kept, looks.GOOD, ""), _bars(replay, lost, looks.BAD, "/")])
    figure.update_layout(
        barmode="overlay",
        showlegend=False,
        # Room for what is written at the end of a bar.
        xaxis={"title": "Epochs saved in %", "range": [0, 125], "tickvals": [0, 25, 50, 75, 100]},
        yaxis={"autorange": "reversed", "categoryorder": "array", "categoryarray": [*map(_lines, replay.pruners)]},
    )
    return figure


def _bars(replay: Replay, pruners: Sequence[PrunerReplay], colour: str, pattern: str) -> go.Bar:
    return go.Bar(
        x=[_saved(replay, each) for each in pruners],
        y=[_lines(each) for each in pruners],
        text=[f"{_saved(replay, each):.0f} %" for each in pruners],
        textposition="outside",
        orientation="h",
        cliponaxis=False,
        marker={"color": colour, "pattern": {"shape": pattern}},
        hovertemplate="%{y}: %{text} saved<extra></extra>",
    )


def _saved(replay: Replay, replayed: PrunerReplay) -> float:
    return 100 * replayed.epochs_saved / replay.epochs


def _lines(replayed: PrunerReplay) -> str:
    """Return what is written beside a bar: on two lines, so that there is room for the bar on a phone."""
    own = "its own: " if replayed.is_own else ""
    lost = ", the best lost" if replayed.loses_best else ""
    return f"{replayed.pruner.name}<br>{own}{len(replayed.stopped):,} stopped{lost}"


def _name(replayed: PrunerReplay) -> str:
    return replayed.pruner.name + (_OWN if replayed.is_own else "")


def _row(replay: Replay, each: PrunerReplay) -> tuple[str, ...]:
    saved = f"{each.epochs_saved:,} ({_saved(replay, each):.0f} %)"
    best = words.NOTHING if each.best_trial is None else str(each.best_trial)
    lost = " (the best is lost)" if each.loses_best else ""
    stopped, seconds = f"{len(each.stopped):,}", f"{words.number(each.seconds_saved)} s"
    return _name(each), stopped, saved, seconds, best + lost, words.number(each.best_value)
