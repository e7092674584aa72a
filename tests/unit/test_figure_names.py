"""Long names in figures: cut to the room that there is, and told apart."""

import plotly.graph_objects as go

from service.web.figures import looks, shares
from trimtab.learned import ImportanceMethod, Importances

ALIKE = [f"the_learning_rate_of_the_{part}_layer_of_the_encoder" for part in ("first", "third")]


def test_parameters_whose_names_look_alike_have_a_bar_each() -> None:
    found = Importances(
        method=ImportanceMethod.PED_ANOVA, metric="error", trials=10, importances=dict.fromkeys(ALIKE, 0.5)
    )

    figure = shares.draw(found, []).figure

    assert figure is not None
    assert len(set(figure["data"][0]["y"])) == 2


def test_the_name_of_an_axis_is_no_longer_than_a_figure_is_high() -> None:
    figure = go.Figure(go.Scatter(x=[1], y=[2]), {"xaxis": {"title": "rate"}, "yaxis": {"title": ALIKE[0]}})

    layout = looks.finished(figure, height=300)["layout"]

    assert layout["xaxis"]["title"]["text"] == "rate"
    assert layout["yaxis"]["title"]["text"] == "the_learning_rate_of_…he_encoder"
