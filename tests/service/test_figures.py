"""What pages are given to draw of a study: right names and values, text as text, drawn once."""

import math
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from service.web.words import NOTHING
from tests.service.runs import EAGER, complete, lease_of
from tests.service.specs import METRIC, number, spec
from trimtab.client import Client
from trimtab.states import TokenKind

HOSTILE = "<b>bold</b><script>alert(1)</script>"
SPACE = {
    "activation": {"type": "categorical", "choices": ["relu", HOSTILE]},
    "momentum": {"type": "float", "low": 0.5, "high": 0.999, "scale": "reverse_log"},
    "rate": {"type": "float", "low": 1e-4, "high": 1.0, "scale": "log"},
    "nesterov": {"type": "categorical", "choices": [True, False], "when": {"activation": ["relu"]}},
}
TWO = [{"metric": METRIC}, {"metric": "cost", "direction": "maximize"}]
NAMES = ["importances", "slices", "contour", "parallel", "pareto", "rounds", "replay"]


def run(client: Client, trials: int, **changes: Any) -> None:
    """Run a study in which the momentum decides."""
    client.create_study(spec(space=SPACE, budget={"trials": 100}, **changes))
    for _ in range(trials):
        lease = lease_of(client)
        momentum, rate = number(lease.params["momentum"]), number(lease.params["rate"])
        client.tell(lease, "complete", metrics={METRIC: (momentum - 0.9) ** 2, "cost": rate})


def asked(
    http: httpx2.Client, figure: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> httpx2.Response:
    """Ask as a page does: again, while it is still being drawn."""
    path, deadline = f"/studies/study/figures/{figure}", time.monotonic() + 120
    while (answer := http.get(path, params=query, headers=headers)).status_code == 202:
        assert time.monotonic() < deadline
    return answer


def drawn(http: httpx2.Client, figure: str, **query: str) -> dict[str, Any]:
    answer = asked(http, figure, query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def numbers(part: object) -> list[float]:
    """Return all numbers of a figure."""
    match part:
        case dict():
            return [number for each in part.values() for number in numbers(each)]
        case list():
            return [number for each in part for number in numbers(each)]
        case int() | float():
            return [part]
        case _:
            return []


@pytest.mark.parametrize("figure", NAMES)
def test_a_study_without_trials_says_what_is_missing(http: httpx2.Client, client: Client, figure: str) -> None:
    run(client, 0, objectives=TWO)

    found = drawn(http, figure)

    assert found["figure"] is None
    assert any(word in found["caption"] for word in ("eeds", "No round has begun"))


def test_one_trial_is_too_few_for_a_picture(http: httpx2.Client, client: Client) -> None:
    run(client, 1)

    assert drawn(http, "slices")["caption"] == "Needs at least 2 complete trials, and there is 1."


@pytest.mark.parametrize("figure", [name for name in NAMES if name not in {"rounds", "replay"}])
def test_no_text_of_a_study_is_markup(http: httpx2.Client, client: Client, figure: str) -> None:
    run(client, 12, objectives=TWO)

    found = drawn(http, figure)

    assert found["figure"]["data"]
    assert "<script" not in str(found["figure"])
    assert "<b>" not in str(found["figure"])


def test_a_slice_has_the_value_of_each_trial_over_its_momentum(http: httpx2.Client, client: Client) -> None:
    run(client, 6)

    layout = drawn(http, "slices")["figure"]["layout"]
    traces = drawn(http, "slices")["figure"]["data"]

    titles = [layout[axis]["title"]["text"] for axis in ("xaxis", "xaxis2", "xaxis3", "xaxis4")]
    assert titles == ["activation", "momentum", "nesterov", "rate"]
    (trace,) = [trace for trace in traces if trace["xaxis"] == "x2"]
    shown = dict(zip(trace["marker"]["color"], zip(trace["customdata"], trace["y"], strict=True), strict=True))
    for trial in client.trials("study"):
        momentum, value = shown[trial.number]
        assert float(momentum) == pytest.approx(number(trial.params["momentum"]), abs=0.005)
        assert value == pytest.approx(trial.metrics[METRIC], rel=1e-5)
    assert all(float(text) < 1 for text in layout["xaxis2"]["ticktext"])


def test_what_matters_most_is_the_first_panel_and_stands_beside_the_objective(
    http: httpx2.Client, client: Client
) -> None:
    run(client, 20)

    slices, parallel = drawn(http, "slices"), drawn(http, "parallel")

    layout = slices["figure"]["layout"]
    titles = [layout[f"xaxis{end}"]["title"]["text"] for end in slices["panels"]]
    by_share = [name for name, _ in drawn(http, "importances")["rows"]]
    assert titles == [name for name, *_ in slices["rows"]] == by_share
    assert titles[0] == "momentum"
    assert parallel["figure"]["layout"]["xaxis"]["ticktext"][1:] == by_share
    for line in parallel["figure"]["data"][:-1]:
        assert [name for name, _ in line["customdata"]][1:] == by_share


def test_where_too_few_trials_say_what_matters_parameters_are_in_the_order_of_the_space(
    http: httpx2.Client, client: Client
) -> None:
    run(client, 6)

    few = drawn(http, "slices")

    assert [name for name, *_ in few["rows"]] == list(SPACE)
    assert "In the order of the space: what matters most is not known." in few["caption"]
    assert "comes first" not in few["caption"]


def test_many_parameters_of_which_nothing_is_known_are_the_first_of_the_space(
    http: httpx2.Client, client: Client
) -> None:
    space = {f"p{place}": {"type": "float", "low": 0.0, "high": 1.0} for place in range(9)}
    client.create_study(spec(space=space, budget={"trials": 2}))
    for place in range(2):
        client.tell(lease_of(client), "complete", metrics={METRIC: place / 10})

    few = drawn(http, "slices")

    assert "The first 8 of 9 parameters, in the order of the space" in few["caption"]


def test_a_parameter_that_a_trial_lacks_is_a_dash_and_a_choice_of_that_name_none(
    http: httpx2.Client, client: Client
) -> None:
    space = {
        "schedule": {"type": "categorical", "choices": ["None", "cosine"]},
        "floor": {"type": "categorical", "choices": ["None", "low"], "when": {"schedule": ["cosine"]}},
        "slope": {"type": "float", "low": 0.0, "high": 1.0, "when": {"schedule": ["cosine"]}},
    }
    client.create_study(spec(space=space, budget={"trials": 3}))
    points: list[dict[str, Any]] = [
        {"schedule": "None"},
        {"schedule": "cosine", "floor": "None", "slope": 0.5},
        {"schedule": "cosine", "floor": "low", "slope": 0.5},
    ]
    for place, point in enumerate(points):
        client.enqueue("study", point)
        client.tell(lease_of(client), "complete", metrics={METRIC: place / 10})

    found = drawn(http, "parallel")

    at = [[note["text"] for note in found["figure"]["layout"]["annotations"] if note["x"] == x] for x in (1, 2, 3)]
    assert [sorted(texts) for texts in at] == [["None", "cosine"], ["None", "low", NOTHING], ["0.5", NOTHING]]
    *lines, _ = found["figure"]["data"]
    told = {tuple(text for _, text in line["customdata"][1:]) for line in lines}
    assert told == {("None", NOTHING, NOTHING), ("cosine", "None", "0.5"), ("cosine", "low", "0.5")}
    assert f"{NOTHING}: the trial does not have the parameter." in found["caption"]


def test_numbers_to_choose_from_are_written_as_they_were_given(http: httpx2.Client, client: Client) -> None:
    sizes = {"type": "categorical", "choices": [32, 64]}
    client.create_study(spec(space={"batch_size": sizes}, budget={"trials": 2}))
    for place in range(2):
        client.tell(lease_of(client), "complete", metrics={METRIC: place / 10})

    notes = drawn(http, "parallel")["figure"]["layout"]["annotations"]

    assert {note["text"] for note in notes if note["x"] == 1} == {"32", "64"}


def test_truth_values_are_written_as_in_the_table_of_trials(http: httpx2.Client, client: Client) -> None:
    client.create_study(spec(space={"nesterov": {"type": "categorical", "choices": [True, False]}}))
    for value in (True, False):
        client.add_trial("study", {"nesterov": value}, metrics={METRIC: float(value)})

    found = drawn(http, "slices")

    (trace,) = found["figure"]["data"]
    assert set(trace["x"]) == {"true", "false"}
    assert found["rows"] == [["nesterov", "\u2068false\u2069", "\u2068false\u2069"]]


def test_large_values_at_an_axis_are_written_to_their_unit(http: httpx2.Client, client: Client) -> None:
    client.create_study(spec(budget={"trials": 2}))
    for value in (20_000.0, 160_000.0):
        client.tell(lease_of(client), "complete", metrics={METRIC: value})

    notes = drawn(http, "parallel")["figure"]["layout"]["annotations"]

    assert {"20,000", "160,000"} <= {note["text"] for note in notes if note["x"] == 0}


SPREAD = (0.01, 0.02, 0.015, 9.0)
"""Values of which one would press the others onto zero."""


@pytest.fixture
def spread(client: Client) -> None:
    client.create_study(spec(space=SPACE, budget={"trials": 4}, objectives=TWO))
    for value in SPREAD:
        client.tell(lease_of(client), "complete", metrics={METRIC: value, "cost": 1 + value / 10})


@pytest.mark.usefixtures("spread")
def test_values_that_span_very_much_are_drawn_by_their_logarithm(http: httpx2.Client) -> None:
    slices, other, pareto = drawn(http, "slices"), drawn(http, "slices", metric="cost"), drawn(http, "pareto")

    assert slices["figure"]["layout"]["yaxis"]["type"] == "log"
    assert slices["figure"]["layout"]["yaxis2"]["type"] == "log"
    assert "type" not in other["figure"]["layout"]["yaxis"]
    assert pareto["figure"]["layout"]["xaxis"]["type"] == "log"
    assert "type" not in pareto["figure"]["layout"]["yaxis"]


@pytest.mark.usefixtures("spread")
def test_contours_are_coloured_by_the_logarithm_and_marked_by_the_value(http: httpx2.Client) -> None:
    found = drawn(http, "contour", x="momentum", y="rate")

    (ground,) = [trace for trace in found["figure"]["data"] if trace["type"] == "contour"]
    marks = dict(zip(ground["colorbar"]["ticktext"], ground["colorbar"]["tickvals"], strict=True))
    values = [value for row in ground["z"] for value in row if value is not None]
    assert sorted(values) == pytest.approx(sorted(math.log10(value) for value in SPREAD))
    assert marks["1"] == pytest.approx(0.0)


@pytest.mark.parametrize("figure", ["slices", "contour", "parallel", "pareto"])
def test_values_as_large_as_numbers_get_are_drawn(http: httpx2.Client, client: Client, figure: str) -> None:
    client.create_study(spec(space=SPACE, objectives=TWO))
    for value in (sys.float_info.max, -sys.float_info.max, 0.5):
        client.tell(lease_of(client), "complete", metrics={METRIC: value, "cost": value})

    found = drawn(http, figure)

    values = numbers(found["figure"]["data"])
    assert math.isfinite(1.2 * (max(values) - min(values)))


def test_what_matters_most_is_drawn_first_and_another_pair_on_demand(http: httpx2.Client, client: Client) -> None:
    run(client, 20)

    x, y = drawn(http, "contour")["choices"]
    other = drawn(http, "contour", x="rate", y="activation")

    assert x["chosen"] == "momentum"
    assert set(x["options"]) == set(y["options"]) == set(SPACE)
    assert other["figure"]["layout"]["xaxis"]["title"]["text"] == "activation"
    assert other["figure"]["layout"]["yaxis"]["title"]["text"] == "rate"
    assert drawn(http, "contour", x="rate", y="rate")["figure"] is None


def test_parameters_that_no_trial_has_both_of_are_no_picture(http: httpx2.Client, client: Client) -> None:
    one = {"type": "float", "low": 0.0, "high": 1.0}
    branches = {"branch": {"type": "categorical", "choices": ["left", "right"]}} | {
        side: one | {"when": {"branch": [side]}} for side in ("left", "right")
    }
    client.create_study(spec(space=branches, budget={"trials": 12}))
    for place in range(12):
        client.tell(lease_of(client), "complete", metrics={METRIC: place / 10})

    found = drawn(http, "contour", x="left", y="right")

    assert found["caption"].startswith("Needs two complete trials with both parameters")
    assert found["choices"][0]["options"]


@pytest.mark.parametrize(("figure", "query"), [("contour", {"x": "none"}), ("slices", {"metric": "none"})])
def test_what_a_study_does_not_have_is_refused(
    http: httpx2.Client, client: Client, figure: str, query: dict[str, str]
) -> None:
    run(client, 2)

    refused = http.get(f"/studies/study/figures/{figure}", params=query)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] in query


def test_trials_that_violate_a_constraint_are_told_by_more_than_their_colour(
    http: httpx2.Client, client: Client
) -> None:
    run(client, 12, constraints=[{"metric": "cost", "at_most": 0.01}])

    slices, parallel = drawn(http, "slices"), drawn(http, "parallel")

    violating = sum(number(trial.params["rate"]) > 0.01 for trial in client.trials("study"))
    open_ones = [trace for trace in slices["figure"]["data"] if trace["marker"].get("symbol") == "circle-open"]
    dotted = [trace for trace in parallel["figure"]["data"] if trace.get("line", {}).get("dash") == "dot"]
    assert (
        max(len(trace["x"]) for trace in open_ones)
        == violating
        == len([line for line in dotted if line["x"] != [None]])
    )
    assert "Open ones violate a constraint." in slices["caption"]
    assert "Dotted ones violate a constraint." in parallel["caption"]


def test_the_best_are_the_warmest_lines_and_lie_on_top(http: httpx2.Client, client: Client) -> None:
    run(client, 8, objectives=[{"metric": METRIC, "direction": "maximize"}])

    *lines, _ = drawn(http, "parallel")["figure"]["data"]

    heights = [line["y"][0] for line in lines]
    assert heights == sorted(heights)
    assert lines[-1]["line"]["color"] == "rgb(217, 72, 15)"


def test_the_front_is_the_one_that_the_api_answers(http: httpx2.Client, client: Client) -> None:
    run(client, 20, objectives=TWO)

    found = drawn(http, "pareto")

    best = [trial.number for trial in client.best_trials("study")]
    assert sorted(int(number) for number, *_ in found["rows"]) == sorted(best)
    assert len(found["figure"]["data"][1]["x"]) == len(best)
    assert len(found["figure"]["data"][0]["x"]) == 20 - len(best)


def test_of_very_many_trials_the_best_and_an_even_choice_are_shown(http: httpx2.Client, client: Client) -> None:
    client.create_study(spec())
    for place in range(160):
        value = (place * 7 % 160) / 160
        client.add_trial("study", {"x": place / 160}, metrics={METRIC: value})

    found = drawn(http, "parallel")

    *lines, _ = found["figure"]["data"]
    assert len(lines) == 150
    assert found["caption"].startswith("150 of 160 complete trials")
    assert lines[-1]["customdata"][0][1] == "0"


def test_an_axis_has_room_for_what_is_written_at_it(http: httpx2.Client, client: Client) -> None:
    choices = {"type": "categorical", "choices": [f"choice {place}" for place in range(30)]}
    wide = {"type": "float", "low": 1e-100, "high": 1e100, "scale": "log"}
    client.create_study(spec(space={"choices": choices, "wide": wide}, budget={"trials": 30}))
    for place in range(30):
        client.tell(lease_of(client), "complete", metrics={METRIC: place / 10})

    found = drawn(http, "parallel")

    assert len(found["figure"]["layout"]["annotations"]) <= 3 * 8


def test_the_ranges_of_rounds_lie_below_each_other_with_their_alarms(http: httpx2.Client, client: Client) -> None:
    sampler = {"name": "coarse_to_fine", "rounds": 3, "round_trials": 6}
    client.create_study(spec(sampler=sampler, budget={"trials": 18}))
    for _ in range(18):
        lease = lease_of(client)
        client.tell(lease, "complete", metrics={METRIC: number(lease.params["x"])})

    found = drawn(http, "rounds")

    *boxes, alarms = found["figure"]["data"]
    rounds = client.rounds("study")
    assert len(boxes) == len(rounds) == 3
    assert (boxes[0]["base"], boxes[0]["x"]) == ([0], [100])
    assert boxes[1]["x"][0] < 100
    assert len(alarms["x"]) == sum(len(each.alarms) for each in rounds)
    lanes = [box["y"][0] for box in boxes]
    assert lanes == sorted(set(lanes))
    assert [box["name"] for box in boxes if box["showlegend"]] == ["round 0", "round 2"]
    (beside,) = found["figure"]["layout"]["yaxis"]["ticktext"]
    low, high = (end(getattr(each.space["x"], side) for each in rounds) for side, end in (("low", min), ("high", max)))
    assert beside == f"x<br>{low:g} to {high:g}"


def test_a_bound_that_the_best_value_sat_on_is_marked_and_the_next_range_reaches_beyond(
    http: httpx2.Client, client: Client
) -> None:
    sampler = {"name": "coarse_to_fine", "rounds": 2, "round_trials": 9}
    client.create_study(spec(space={"x": {"type": "int", "low": 5, "high": 8}}, sampler=sampler, budget={"trials": 10}))
    for _ in range(10):
        lease = lease_of(client)
        client.tell(lease, "complete", metrics={METRIC: number(lease.params["x"])})

    first, second, alarms = drawn(http, "rounds")["figure"]["data"]

    assert (alarms["x"], alarms["y"]) == (first["base"], first["y"])
    assert second["base"][0] < first["base"][0]


def test_a_replay_shows_what_each_pruner_saves_and_which_one_loses_the_best(
    http: httpx2.Client, client: Client
) -> None:
    client.create_study(spec(pruner=EAGER))
    for curve in ([0.5, 0.4], [0.9, 0.8], [0.6, 0.1]):
        complete(client, curve)

    found = drawn(http, "replay")

    replay = client.replay("study")
    kept, lost = found["figure"]["data"]
    assert [row[0] for row in found["rows"]] == ["median (its own)", *(each.pruner.name for each in replay.pruners[1:])]
    assert len(lost["y"]) == sum(each.loses_best for each in replay.pruners) > 0
    assert all("the best lost" in beside for beside in lost["y"])
    assert len(kept["y"]) + len(lost["y"]) == len(replay.pruners)
    assert "What the study's own one has saved is not among them" in found["caption"]


def test_a_browser_keeps_a_figure_until_another_trial_ends(http: httpx2.Client, client: Client) -> None:
    run(client, 2)
    first = asked(http, "slices")
    known = {"If-None-Match": first.headers["ETag"]}
    again = asked(http, "slices", headers=known)
    lease = lease_of(client)
    client.tell(lease, "complete", metrics={METRIC: 0.1})
    client.change_study("study", state="stopped")

    later = asked(http, "slices", headers=known)

    assert (first.status_code, again.status_code, later.status_code) == (200, 304, 200)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert later.json()["caption"].startswith("3 complete trials")


def test_whoever_reads_sees_figures_and_a_worker_does_not(http: httpx2.Client, client: Client) -> None:
    run(client, 0)
    tokens = {kind: client.make_token(kind, "one").token for kind in (TokenKind.READER, TokenKind.WORKER)}

    status = {
        kind: asked(http, "slices", headers={"Authorization": f"Bearer {token}"}).status_code
        for kind, token in tokens.items()
    }

    assert status == {TokenKind.READER: 200, TokenKind.WORKER: 403}


def test_a_study_that_is_gone_has_no_figures(http: httpx2.Client) -> None:
    assert http.get("/studies/gone/figures/slices").json()["code"] == "study_not_found"


def test_who_looks_at_no_figure_does_not_pay_for_plotly() -> None:
    program = "import sys, service.app; print('service.web.figures' in sys.modules, 'plotly' in sys.modules)"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["True", "False"]


def test_pandas_is_whole_before_plotly_draws_beside_a_thread_that_would_load_it() -> None:
    program = "import sys, service.web.figures as figures; figures.load_whole_pandas(); import plotly.graph_objects;"
    program += "print('Series' in vars(sys.modules['pandas']))"

    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout.split() == ["True"]
