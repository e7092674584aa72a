"""How much each parameter mattered, as bars."""

import plotly.graph_objects as go

from service.web.figures import looks
from service.web.figures.drawn import Choice, Drawn
from service.web.figures.labels import distinct
from trimtab.learned import Importances
from trimtab.objectives import Objective

MOST_PARAMETERS = 20
_BAR = 28
"""Height of one, in pixels."""

_ROOM = 1.3
"""For what is written at the end of a bar, on a phone too."""


def draw(importances: Importances, objectives: list[Objective]) -> Drawn:
    """Draw what a study's importances are: what sets the best tenth of the trials apart from all."""
    metrics = [objective.metric for objective in objectives]
    choices = [Choice("metric", "Objective", metrics, importances.metric)] if len(metrics) > 1 else []
    if importances.reason:
        return Drawn(f"No importances: {importances.reason}.", choices=choices)
    shown = list(importances.importances.items())[:MOST_PARAMETERS]
    height = 80 + _BAR * len(shown)
    return Drawn(
        caption=f"What sets the best tenth of {importances.trials:,} complete trials apart from all of them"
        " (PED-ANOVA); the shares of all parameters add to 100 %.",
        figure=looks.finished(_bars(shown), height=height),
        columns=("Parameter", "Share"),
        rows=[(name, _percent(share)) for name, share in importances.importances.items()],
        choices=choices,
        height=height,
    )


def _bars(shares: list[tuple[str, float]]) -> go.Figure:
    bars = go.Bar(
        x=[100 * share for _, share in shares],
        y=distinct(name for name, _ in shares),
        text=[_percent(share) for _, share in shares],
        textposition="outside",
        cliponaxis=False,
        orientation="h",
        marker={"color": looks.GOOD},
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    figure = go.Figure(bars)
    figure.update_layout(
        xaxis={"title": "Share in %", "range": [0, _ROOM * 100 * max(share for _, share in shares)]},
        yaxis={"autorange": "reversed"},
    )
    return figure


def _percent(share: float) -> str:
    percent = round(100 * share)
    return f"{percent} %" if percent else "below 1 %"
