"""Which sampler goes with which space and objectives, and what is said where it does not."""

import json
from typing import Any

import pytest

from trimtab.errors import Invalid
from trimtab.spec import StudySpec
from trimtab.validation import from_json

RATE = {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"}
COLOUR = {"type": "categorical", "choices": ["red", "green"]}
LAYERS = {"type": "int", "low": 1, "high": 5, "step": 2}
TWO = [{"metric": "error"}, {"metric": "seconds"}]

BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "a grid over a float without a step": (
        {"sampler": {"name": "grid"}, "space": {"layers": LAYERS, "rate": RATE}},
        "space.rate",
        "has infinitely many values, and a grid needs finitely many: give it a step, or choices (categorical)",
    ),
    "a grid of 10^12 points": (
        {"sampler": {"name": "grid"}, "space": {f"x{n}": {"type": "int", "low": 0, "high": 999} for n in range(4)}},
        "space",
        "has 1,000,000,000,000 points, and a grid at most 1,000,000",
    ),
    "CMA-ES over choices only": (
        {"sampler": {"name": "cmaes"}, "space": {"colour": COLOUR}},
        "sampler.name",
        "cmaes needs a parameter that is a number",
    ),
    "CMA-ES with several objectives": (
        {"sampler": {"name": "cmaes"}, "space": {"rate": RATE}, "objectives": TWO},
        "sampler.name",
        "cmaes has one objective only",
    ),
    "a genetic algorithm with one parent": (
        {"sampler": {"name": "nsga2", "population_size": 1}},
        "sampler.population_size",
        "at least 2",
    ),
    "CMA-ES with three in a generation": (
        {"sampler": {"name": "cmaes", "population_size": 3}},
        "sampler.population_size",
        "at least 4",
    ),
    "rounds of which the first has the whole budget": (
        {"sampler": {"name": "coarse_to_fine", "round_trials": 50}, "budget": {"trials": 50}},
        "sampler.round_trials",
        "must leave a second round trials of budget.trials = 50: 49 at most, not 50",
    ),
    "an unknown sequence": ({"sampler": {"name": "qmc", "sequence": "niederreiter"}}, "sampler.sequence", "'halton'"),
}


def spec(**changes: Any) -> StudySpec:
    fields = {"name": "study", "task": None, "space": {"rate": RATE}, "objectives": [{"metric": "error"}]} | changes
    return from_json(StudySpec, json.dumps(fields))


@pytest.mark.parametrize("case", BAD)
def test_a_sampler_is_refused(case: str) -> None:
    changes, field, words = BAD[case]

    with pytest.raises(Invalid) as caught:
        spec(**changes)

    (problem,) = caught.value.errors
    assert (problem.field, words in problem.message) == (field, True), problem


@pytest.mark.parametrize(
    "sampler",
    [
        {"name": "auto"},
        {"name": "gp", "startup_trials": 5},
        {"name": "nsga2", "population_size": 10},
        {"name": "nsga3"},
        {"name": "qmc", "sequence": "halton"},
        {"name": "cmaes", "population_size": 6},
    ],
)
def test_a_sampler_is_taken_with_its_settings(sampler: dict[str, Any]) -> None:
    assert spec(sampler=sampler).sampler.model_dump(exclude_unset=True) == sampler


def test_a_grid_without_a_budget_has_as_many_trials_as_points() -> None:
    space = {"layers": LAYERS, "colour": COLOUR}

    resolved = spec(sampler={"name": "grid"}, space=space).resolved()

    assert resolved.budget.trials == 6
    assert resolved.resolved() == resolved


def test_a_grid_keeps_the_budget_that_is_given() -> None:
    resolved = spec(sampler={"name": "grid"}, space={"layers": LAYERS}, budget={"trials": 2}).resolved()

    assert resolved.budget.trials == 2
