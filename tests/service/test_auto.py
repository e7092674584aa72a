"""What `auto` comes to follows from the spec, and the study says what it is and why."""

from typing import Any

import httpx2
import pytest

from service.sampling.auto import choice
from tests.service.specs import spec
from trimtab.client import Client

X = {"type": "float", "low": 0.0, "high": 1.0}
COLOUR = {"type": "categorical", "choices": ["red", "green"]}
LAYERS = {"type": "int", "low": 1, "high": 5}
TWO = [{"metric": "error"}, {"metric": "seconds"}]
THREE = [*TWO, {"metric": "size"}]

CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "few points": (
        {"space": {"colour": COLOUR, "layers": LAYERS}, "budget": {"trials": 10}},
        "grid",
        "10 trials are enough for all 10 points",
    ),
    "more points than trials": (
        {"space": {"colour": COLOUR, "layers": LAYERS}, "budget": {"trials": 9}},
        "gp",
        "one objective, 2 parameters without conditions, 9 trials",
    ),
    "conditions": (
        {"space": {"colour": COLOUR, "x": {**X, "when": {"colour": ["red"]}}}},
        "tpe",
        "one objective, with conditions",
    ),
    "cheap trials": (
        {"space": {"x": X}, "budget": {"trials": 60, "seconds": 90.0}},
        "tpe",
        "a trial is to take 1.5 s",
    ),
    "few trials of numbers": (
        {"space": {"x": X}, "budget": {"trials": 60}},
        "gp",
        "one objective, 1 parameters without conditions, 60 trials",
    ),
    "more trials of numbers": ({"space": {"x": X, "y": X}, "budget": {"trials": 500}}, "tpe", "500 trials"),
    "many trials of numbers": ({"space": {"x": X, "y": X}, "budget": {"trials": 5000}}, "cmaes", "5000 trials"),
    "many trials with choices": (
        {"space": {"x": X, "colour": COLOUR}, "budget": {"trials": 5000}},
        "tpe",
        "5000 trials",
    ),
    "no number of trials": ({"space": {"x": X, "y": X}, "budget": {"seconds": 60.0}}, "tpe", "1000 trials"),
    "constraints": (
        {"space": {"x": X}, "constraints": [{"metric": "size", "at_most": 1.0}]},
        "tpe",
        "one objective, with constraints",
    ),
    "two objectives, few trials": ({"objectives": TWO}, "tpe", "2 objectives, and 10 trials are few"),
    "two objectives, many trials": ({"objectives": TWO, "budget": {"trials": 2000}}, "nsga2", "2 objectives"),
    "three objectives, many trials": ({"objectives": THREE, "budget": {"trials": 2000}}, "nsga3", "3 objectives"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_sampler_is_chosen(case: str) -> None:
    changes, name, words = CASES[case]

    found = choice(spec(sampler={"name": "auto", "seed": 5}, **changes).resolved(), has_gp=True)

    assert (found.sampler.name, found.sampler.seed) == (name, 5)
    assert words in (found.reason or "")


def test_no_gaussian_process_is_chosen_where_there_is_none() -> None:
    found = choice(spec(sampler={"name": "auto"}, space={"x": X}, budget={"trials": 60}).resolved(), has_gp=False)

    assert found.sampler.name == "tpe"


def test_a_study_says_what_was_chosen_and_keeps_what_was_asked(client: Client) -> None:
    asked = spec(sampler={"name": "auto"}, space={"layers": LAYERS}, budget={"trials": 5})

    study = client.create_study(asked)

    assert study.spec.sampler.name == "auto"
    assert study.sampler is not None
    assert (study.sampler.name, study.sampler.reason) == ("grid", "5 trials are enough for all 5 points")
    assert len(client.ask("worker", study="study", count=10).leases) == 5


@pytest.mark.parametrize(("first", "then", "is_changed"), [(5, 4, False), (4, 5, True)])
def test_what_auto_came_to_stays_under_another_budget(
    client: Client, http: httpx2.Client, first: int, then: int, is_changed: bool
) -> None:
    created = client.create_study(spec(sampler={"name": "auto"}, space={"layers": LAYERS}, budget={"trials": first}))
    client.change_study("study", budget={"trials": then})

    answer = http.patch("/v1/studies/study", json={"space": {"layers": {"high": 9}}})

    # A grid is counted when the study is created, and keeps its bounds.
    assert answer.is_success is is_changed
    assert client.study("study").sampler == created.sampler


def test_a_study_whose_sampler_was_asked_for_gives_no_reason(client: Client) -> None:
    study = client.create_study(spec())

    assert study.sampler is not None
    assert (study.sampler.name, study.sampler.reason) == ("random", None)
